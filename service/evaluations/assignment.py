"""What the process of one evaluation is told."""

from pathlib import Path

from service.artifact import Record
from service.evaluations.request import EvaluationRequest


class Assignment(Record):
    """Which evaluation, and where its models are."""

    request: EvaluationRequest
    directories: tuple[Path, ...]
    """Of the model files."""
    versions: dict[str, str]
    """Of the models, by name."""
