"""Models, in short."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from service.inference.artifact import Assumptions, ParameterSpec
from service.schemas.schema import ResponseModel, open_enum


class ModelReference(ResponseModel):
    """A model by name and version."""

    name: str = Field(examples=["nonlinear"])
    version: str = Field(examples=["1.0.0"])


class AnsweringModel(ModelReference):
    """The model that answered, with the hash of its file."""

    model_config = ConfigDict(from_attributes=True)

    sha256: str = Field(examples=["0" * 64])
    """The SHA-256 of its file, as `sha256sum` prints it."""


class ModelSummary(ResponseModel):
    """A served model."""

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
    """The numbers of inputs D and outputs K."""
    gradient_steps: int
    gives_scale: bool
    """Whether it answers `interval` and `quantiles`."""
    missing_cells: bool
    """Whether x and query may have null (NaN in binary bodies) for a missing cell."""
    parameters: tuple[ParameterSpec, ...]


class RefusedFile(ResponseModel):
    """A model file that is not served."""

    file: str
    reason: str


class ModelList(ResponseModel):
    """Every version of every model in service, the highest of each first, and the files that are not."""

    default: str
    """The model of requests that name none."""
    models: tuple[ModelSummary, ...]
    refused: tuple[RefusedFile, ...]
