"""Requests and responses of the protocol, with examples; unknown fields are refused."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, PrivateAttr, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from service.api.routes.v2.datatypes import Datatype
from service.schemas.schema import Schema

INT32_MAX = 2**31 - 1

Axis = Annotated[int, Field(ge=0, le=INT32_MAX)]
Data = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "items": {"type": ["number", "null", "array"], "items": {}}}),
]
"""Numbers, flat or as nested lists, null for a missing cell; `json_codec` reads them with the shape."""


class StrictSchema(Schema):
    """Does not convert text to numbers, or numbers to booleans."""

    model_config = ConfigDict(strict=True)


class ServerMetadata(Schema):
    """The metadata of the server."""

    name: str = Field(examples=["gdssm"])
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = Field(examples=[["binary_tensor_data", "parameters", "model_repository"]])
    """Supported extensions of the protocol."""


class ServerLive(Schema):
    """The process responds."""

    live: Literal[True]


class ServerReady(Schema):
    """The server can run models."""

    ready: Literal[True]


class ModelReady(Schema):
    """The model is served."""

    name: str
    ready: Literal[True]


class TensorMetadata(Schema):
    """One input or output of a model."""

    name: str
    datatype: Literal["FP32", "FP64"]
    """The datatype of the computation; other inputs are converted."""
    shape: list[int]
    """-1 for an axis of any size."""


class ModelMetadata(Schema):
    """The metadata of a model."""

    name: str
    versions: list[str]
    """The versions in service, the highest first."""
    platform: str
    inputs: list[TensorMetadata]
    """All are optional, as long as the sizes of all axes are determined by the others."""
    outputs: list[TensorMetadata]


class Parameters(StrictSchema):
    """Parameters; those of other servers are ignored, which the protocol allows."""

    ignored: ClassVar[frozenset[str]] = frozenset({"content_type"})
    """MLServer's codec of a tensor."""

    @model_validator(mode="before")
    @classmethod
    def _drop_ignored(cls, sent: object) -> object:
        if isinstance(sent, dict) and not cls.ignored.isdisjoint(sent):
            return {name: value for name, value in sent.items() if name not in cls.ignored}
        return sent


class InputParameters(Parameters):
    """The encoding of an input."""

    binary_data_size: int | None = Field(None, ge=0, le=INT32_MAX)
    """Bytes of the tensor after the JSON; it then has no `data`."""


class InferInput(StrictSchema):
    """An input tensor."""

    name: str = Field(max_length=200, examples=["x"])
    shape: list[Axis] = Field(max_length=8, examples=[[1, 3, 1]])
    datatype: Datatype = Field(examples=["FP64"])
    parameters: InputParameters | None = None
    data: Data | None = Field(None, examples=[[1.0, 2.0, 3.0]])
    """Numbers in row-major order, flat or as nested lists; in x and x_query null is a missing cell."""


class OutputParameters(Parameters):
    """The encoding of a requested output."""

    binary_data: bool | None = None
    """Whether to send it as bytes after the JSON."""


class RequestedOutput(StrictSchema):
    """A requested output tensor."""

    name: str = Field(max_length=200, examples=["prediction"])
    parameters: OutputParameters | None = None


PARAMETER = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "integer"}}]}
"""The list is that of `levels`."""


class RequestParameters(Parameters):
    """Numeric parameters of the model, such as `learning_rate`, `levels`, and the encoding of outputs."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, WithJsonSchema(PARAMETER)]] = Field(init=False)
    ignored = Parameters.ignored | {"priority", "timeout", "headers"}
    """Triton's parameters of its queue, and MLServer's headers of the request."""

    binary_data_output: bool | None = None
    """Whether to send outputs as bytes after the JSON, by default."""


class InferRequest(StrictSchema):
    """An inference request."""

    id: str | None = Field(None, max_length=1000, examples=["42"])
    """Repeated in the response."""
    model_name: str | None = Field(None, max_length=200, examples=["linear"])
    """Optional; must be that of the address."""
    model_version: str | None = Field(None, max_length=200, examples=["2.0.0"])
    """Optional; must be that of the address."""
    parameters: RequestParameters | None = Field(None, examples=[{}])
    inputs: list[InferInput] = Field(
        min_length=1,
        max_length=100,
        examples=[
            [
                {"name": "x", "shape": [1, 5, 1], "datatype": "FP64", "data": [1, 2, 3, 4, 5]},
                {"name": "y", "shape": [1, 5, 1], "datatype": "FP64", "data": [2.1, 3.9, 6.2, 7.8, 10.1]},
                {"name": "x_query", "shape": [1, 2, 1], "datatype": "FP64", "data": [6, 7]},
            ]
        ],
    )
    outputs: list[RequestedOutput] | None = Field(None, max_length=100, examples=[[{"name": "prediction"}]])
    """By default all outputs of the model."""

    _binary_tensors: memoryview = PrivateAttr(default_factory=lambda: memoryview(b""))

    def with_binary_tensors(self, content: memoryview) -> Self:
        """Add the bytes after the JSON."""
        self._binary_tensors = content
        return self

    @property
    def binary_tensors(self) -> memoryview:
        """The bytes after the JSON."""
        return self._binary_tensors

    @property
    def extra_parameters(self) -> dict[str, Any]:
        """Parameters without a field: of the model, or unknown."""
        return (self.parameters.__pydantic_extra__ if self.parameters else None) or {}

    @property
    def binary_data_output(self) -> bool:
        """Whether to send outputs as bytes after the JSON, by default."""
        return bool(self.parameters and self.parameters.binary_data_output)


OutputData = Annotated[
    list[float], WithJsonSchema({"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}})
]
"""Numbers; NaN, where there is none, is null in JSON."""


class OutputEncoding(Schema):
    """The encoding of an output."""

    binary_data_size: int
    """Bytes of the tensor after the JSON."""


class InferOutput(Schema):
    """An output tensor."""

    name: str = Field(examples=["prediction"])
    datatype: Literal["FP32", "FP64"]
    shape: list[int] = Field(examples=[[1, 2, 1]])
    parameters: OutputEncoding | SkipJsonSchema[None] = None
    data: OutputData | SkipJsonSchema[None] = Field(None, examples=[[11.927, 13.896]])
    """Numbers in row-major order; missing if the tensor follows the JSON as bytes."""


class AnswerParameters(Schema):
    """The hash of the model file."""

    sha256: str


class InferAnswer(Schema):
    """An inference response."""

    id: str | SkipJsonSchema[None] = None
    """The id of the request."""
    model_name: str
    model_version: str
    parameters: AnswerParameters
    outputs: list[InferOutput]


class IndexRequest(StrictSchema):
    """Options of the list of models."""

    ready: bool = False
    """Whether to list models in service only."""


class IndexedModel(Schema):
    """A model of the repository, or a refused file."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str


class LoadParameters(StrictSchema):
    """Options of loading a model."""

    version: str | None = Field(None, max_length=200)
    """By default all versions."""


class LoadRequest(StrictSchema):
    """Load a model of the repository; a configuration or a file cannot be sent."""

    parameters: LoadParameters | None = None


class UnloadParameters(LoadParameters):
    """Options of unloading a model."""

    unload_dependents: bool | None = None
    """Accepted because clients send it; no model depends on another."""


class UnloadRequest(StrictSchema):
    """Unload a model."""

    parameters: UnloadParameters | None = None


class Done(Schema):
    """An empty response."""
