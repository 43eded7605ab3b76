"""Models, in short."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from service.artifact import Assumptions, ParameterSpec
from service.schemas.schema import ResponseModel, open_enum


class ModelReference(ResponseModel):
    """Which model answered."""

    name: str = Field(examples=["nonlinear"])
    version: str = Field(examples=["1.0.0"])


class AnsweringModel(ModelReference):
    """Which model answered, to the bit."""

    model_config = ConfigDict(from_attributes=True)

    sha256: str = Field(examples=["0" * 64])
    """The SHA-256 of its file, as `sha256sum` prints it."""


class ModelSummary(ResponseModel):
    """A served model in short."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    version: str
    summary: str
    task: Annotated[str, open_enum("regression", "classification")]
    """classification: y is one-hot, predictions are probabilities."""
    origin: Annotated[str, open_enum("constructed", "trained")]
    sha256: str
    """The SHA-256 of its file, as `sha256sum` prints it."""
    assumes: Assumptions
    dims: dict[Literal["D", "K"], int | Literal["any"]]
    """How many inputs D and outputs K it takes."""
    gradient_steps: int
    gives_scale: bool
    """Whether it answers `interval` and `quantiles`."""
    missing_cells: bool
    """Whether it takes null (in binary bodies NaN) in x and query, for a missing cell."""
    parameters: tuple[ParameterSpec, ...]


class RefusedFile(ResponseModel):
    """A model file that is not served."""

    file: str
    reason: str


class ModelList(ResponseModel):
    """Every version of every model in service, the highest of each first, and the files that are not."""

    default: str
    """The model that answers when a request names none."""
    models: tuple[ModelSummary, ...]
    refused: tuple[RefusedFile, ...]
