"""Networks in ONNX files, read as circuits whose weights are a checkpoint's."""
