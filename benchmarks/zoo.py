"""The model files that ship with the service."""

from pathlib import Path

import service

ZOO = Path(service.__file__).parent / "zoo"


def model_file(model: str) -> Path:
    """Return the file of a model."""
    return ZOO / f"{model}.onnx"
