"""The model files that are measured: those that come with the service."""

from pathlib import Path

import service

ZOO = Path(service.__file__).parent / "zoo"


def model_file(model: str) -> Path:
    """Find the file of a model by its name."""
    return ZOO / f"{model}.onnx"
