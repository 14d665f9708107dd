"""Modules of PyTorch, as `torch.export` has them, said in the operators of `circ.compiler.onnx`."""
