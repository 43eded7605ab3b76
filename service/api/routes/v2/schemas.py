"""What goes in and out by the protocol, with examples; an unknown field is refused."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, PrivateAttr, WithJsonSchema, model_validator

from service.api.routes.v2.datatypes import Datatype
from service.schemas.schema import Schema

INT32_MAX = 2**31 - 1

Axis = Annotated[int, Field(ge=0, le=INT32_MAX)]
Data = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "items": {"type": ["number", "null", "array"], "items": {}}}),
]
"""Numbers, flat or as lists in lists, null for a missing cell: `json_codec` reads them, when it knows the shape."""


class Strict(Schema):
    """Takes no text for a number and no number for a truth value."""

    model_config = ConfigDict(strict=True)


class ServerMetadata(Schema):
    """What the server is."""

    name: str = Field(examples=["gdssm"])
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = Field(examples=[["binary_tensor_data", "parameters", "model_repository"]])
    """What it can beyond the protocol."""


class ServerLive(Schema):
    """The answer of a process that runs."""

    live: Literal[True]


class ServerReady(Schema):
    """The answer of a server that can infer."""

    ready: Literal[True]


class ModelReady(Schema):
    """The answer of a model that can infer."""

    name: str
    ready: Literal[True]


class TensorMetadata(Schema):
    """One input or output of a model."""

    name: str
    datatype: Literal["FP32", "FP64"]
    """What the model works in; inputs of other numbers are converted."""
    shape: list[int]
    """-1 for an axis that is free."""


class ModelMetadata(Schema):
    """A model from the outside."""

    name: str
    versions: list[str]
    """All that are served, the highest first."""
    platform: str
    inputs: list[TensorMetadata]
    """Any of them may be left out, as long as the others tell the sizes."""
    outputs: list[TensorMetadata]


class Parameters(Strict):
    """Parameters without those of other servers, which the protocol lets a server ignore."""

    ignored: ClassVar[frozenset[str]] = frozenset({"content_type"})
    """How MLServer would decode a tensor."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, sent: object) -> object:
        if isinstance(sent, dict) and not cls.ignored.isdisjoint(sent):
            return {name: value for name, value in sent.items() if name not in cls.ignored}
        return sent


class InputParameters(Parameters):
    """How an input is sent."""

    binary_data_size: int | None = Field(None, ge=0, le=INT32_MAX)
    """Bytes that the tensor has behind the JSON; its `data` is then left out."""


class InferInput(Strict):
    """One tensor."""

    name: str = Field(max_length=200, examples=["x"])
    shape: list[Axis] = Field(max_length=8, examples=[[1, 3, 1]])
    datatype: Datatype = Field(examples=["FP64"])
    parameters: InputParameters | None = None
    data: Data | None = Field(None, examples=[[1.0, 2.0, 3.0]])
    """Numbers in row-major order, flat or as lists in lists; in x and x_query null is a missing cell."""


class OutputParameters(Parameters):
    """How an output is wanted."""

    binary_data: bool | None = None
    """Whether it comes as bytes behind the JSON."""


class RequestedOutput(Strict):
    """One tensor that is wanted."""

    name: str = Field(max_length=200, examples=["prediction"])
    parameters: OutputParameters | None = None


class RequestParameters(Parameters):
    """Numbers that the model takes, as `learning_rate`, and how outputs are wanted."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, WithJsonSchema({"type": "number"})]] = Field(init=False)
    ignored = Parameters.ignored | {"priority", "timeout", "headers"}
    """Triton's, whose queues know priorities and times, and MLServer's for headers of the request."""

    binary_data_output: bool | None = None
    """Whether outputs that do not say it themselves come as bytes behind the JSON."""


class InferRequest(Strict):
    """Tensors for a model."""

    id: str | None = Field(None, max_length=1000, examples=["42"])
    """Comes back with the answer."""
    model_name: str | None = Field(None, max_length=200, examples=["linear"])
    """If it is sent, the model of the address."""
    model_version: str | None = Field(None, max_length=200, examples=["2.0.0"])
    """Likewise."""
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
    """All of the model's if left out."""

    _behind: memoryview = PrivateAttr(default_factory=lambda: memoryview(b""))

    def followed_by(self, binary: memoryview) -> Self:
        """Add what came behind the JSON."""
        self._behind = binary
        return self

    @property
    def behind(self) -> memoryview:
        """What came behind the JSON."""
        return self._behind

    @property
    def further_parameters(self) -> dict[str, Any]:
        """Parameters beyond those that have a field: for the model, or unknown."""
        return (self.parameters.__pydantic_extra__ if self.parameters else None) or {}

    @property
    def binary_data_output(self) -> bool:
        """Whether outputs that do not say it themselves come as bytes behind the JSON."""
        return bool(self.parameters and self.parameters.binary_data_output)


class SentParameters(Schema):
    """How an output is sent."""

    binary_data_size: int
    """Bytes that the tensor has behind the JSON."""


class InferOutput(Schema):
    """One tensor of an answer."""

    name: str = Field(examples=["prediction"])
    datatype: Literal["FP32", "FP64"]
    shape: list[int] = Field(examples=[[1, 2, 1]])
    parameters: SentParameters | None = None
    data: list[float] | None = Field(None, examples=[[11.927, 13.896]])
    """Numbers in row-major order, if they are not behind the JSON."""


class AnswerParameters(Schema):
    """Which file of the model answered."""

    sha256: str


class InferAnswer(Schema):
    """The tensors that a model made, with the model that made them; what is null is left out."""

    id: str | None = None
    """As it was sent."""
    model_name: str
    model_version: str
    parameters: AnswerParameters
    outputs: list[InferOutput]


class IndexRequest(Strict):
    """Which models to list."""

    ready: bool = False
    """Only those in service."""


class IndexedModel(Schema):
    """A model of the repository, or a file that could not become one."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str


class LoadParameters(Strict):
    """What to load."""

    version: str | None = Field(None, max_length=200)
    """One version only; all if left out."""


class LoadRequest(Strict):
    """Load a model of the repository; neither a configuration nor a file can be sent with it."""

    parameters: LoadParameters | None = None


class UnloadParameters(LoadParameters):
    """What to unload."""

    unload_dependents: bool | None = None
    """Allowed because clients send it; no model here depends on another."""


class UnloadRequest(Strict):
    """Unload a model."""

    parameters: UnloadParameters | None = None


class Done(Schema):
    """Nothing more to say."""
