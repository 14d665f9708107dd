"""The records of ONNX's format, without the rest of the library.

Importing onnx loads its checker, its helpers and what fetches models from the network; that takes longer
than reading a small network does. Here is the one module that describes the format.
"""
# What onnx generates of its format is typed in part; nothing untyped leaves `compiler/onnx`.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

NAME = "onnx.onnx_ml_pb2"


def described() -> ModuleType:
    """The module that describes the format, under its own name: `import onnx` finds it loaded."""
    package = find_spec("onnx")
    if package is None:
        raise ModuleNotFoundError("No module named 'onnx'")
    places = [
        Path(folder) / "onnx_ml_pb2.py" for folder in package.submodule_search_locations or ()
    ]
    place = next((place for place in places if place.is_file()), None)
    spec = place and spec_from_file_location(NAME, place)
    if NAME in sys.modules or not spec or not spec.loader:
        return import_module("onnx")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[NAME] = module
    return module


if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto
else:
    _format = described()
    AttributeProto, ModelProto = _format.AttributeProto, _format.ModelProto
    NodeProto, TensorProto = _format.NodeProto, _format.TensorProto
    ValueInfoProto = _format.ValueInfoProto

__all__ = ["AttributeProto", "ModelProto", "NodeProto", "TensorProto", "ValueInfoProto"]
