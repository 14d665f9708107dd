"""The tensors of networks beside a written module: PyTorch alone reads no ONNX file."""

from __future__ import annotations

from dataclasses import replace

from circ.compiler.driver import Program
from circ.compiler.pytorch.module import Asked
from circ.compiler.pytorch.of_spec import tensors_beside
from circ.compiler.tensor import Weights
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import not_expressible
from circ.runtime.outputs import Output, write_bytes
from circ.runtime.patches.encoding import encoded
from circ.runtime.patches.plan import TensorEntry, header_bytes


def with_tensors(program: Program, asked: Asked, out: Output) -> Asked:
    """Write the tensors that a module reads of networks, and have it look for them where they are.

    Raises `CircError` (E0650, E0651, E0653), and E0705 where the module is to be shown on the screen.
    """
    found = tensors_beside(program, asked, "" if out.path is None else out.path.stem)
    if not found:
        return asked
    if out.path is None:
        reason = f"the tensors of the network `{next(iter(found))}` are written beside it; name a file (`--out`)"
        raise CircError(not_expressible(f"`{asked.name}`", reason))
    for name, tensors in found.values():
        path = out.path.with_name(name)
        write_bytes(safetensors(tensors), path, out.force, program.files_read)
    return replace(asked, files={**asked.files, **{key: name for key, (name, _) in found.items()}})


def safetensors(tensors: Weights) -> bytes:
    """Tensors as a file holds them, each in its own dtype."""
    entries, data = dict[str, TensorEntry](), bytearray()
    for name, tensor in tensors.items():
        numbers = encoded(tensor.values, tensor.dtype)
        offsets = len(data), len(data) + len(numbers)
        entries[name] = {
            "dtype": tensor.dtype,
            "shape": [*tensor.shape],
            "data_offsets": offsets,
        }
        data += numbers
    return header_bytes(entries, {}) + bytes(data)
