"""Claims about boxes of real inputs, written as standard problems: ONNX and VNN-LIB."""
