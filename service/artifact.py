"""The contract of a model file: one ONNX graph, state in and state out, with its manifest inside.

Inputs   state.* (B, …) · x (B, N, D) · y (B, N, K) · weight (B, N) · x_query (B, M, D) · parameters ()
Outputs  prediction (B, M, K) · next.* (B, …), the state after the N observations

A zero state is "nothing seen yet"; N and M may be 0; weight 0 is padding and −w takes an observation out again.
`export` writes such files, `runtime` reads them; this file is what they agree on.
"""

import hashlib
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

METADATA_KEY = "gdssm.manifest"
"""Where the manifest stands in the file's `metadata_props`."""
UNHASHED = "0" * 64
"""What stands in the place of the content hash while it is computed."""

Dtype = Literal["float32", "float64"]
Axis = Literal["B", "N", "M", "D", "K", "D+K"] | int


class Record(BaseModel):
    """Frozen, and refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TensorSpec(Record):
    """One input or output of the graph."""

    name: str
    dtype: Dtype
    shape: tuple[Axis, ...]
    """One letter or number per axis."""
    meaning: str


class ParameterSpec(Record):
    """A number that a request may give; the graph has the default inside."""

    name: str
    default: float
    above: float
    """A given value must be greater than this."""
    meaning: str


class MergeRule(Record):
    """How two states of one model become one, without the model (see `merge`)."""

    rule: Literal["scan", "moments", "none"]
    """scan: plain addition, nothing being forgotten; moments: count, mean, centred second moments, peak; none: the
    model alone could tell, or there is no state."""


class Assumptions(Record):
    """What the model takes for granted about the data, in words."""

    x: str
    y: str


class Golden(Record):
    """One input with its output, to check the file on the machine that loads it."""

    inputs: dict[str, Any]
    """Nested lists by tensor name; a number for a parameter."""
    outputs: dict[str, Any]
    tolerance: float = Field(le=1e-2)
    """Largest difference allowed, relative to the largest entry of the output."""


class Training(Record):
    """How a trained model came about."""

    config: dict[str, Any]
    seed: int
    commit: str
    metrics: dict[str, float]
    """On 20,000 tasks of the evaluation; losses are ½·mean squared error."""


class Manifest(Record):
    """Everything a reader of the file needs to know."""

    format: Literal["gdssm/1"] = "gdssm/1"
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)
    version: str = Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$", max_length=40)
    summary: str
    task: Literal["regression", "classification"]
    """classification: y is one-hot, predictions are probabilities."""
    origin: Literal["constructed", "trained"]
    assumes: Assumptions
    dims: dict[Literal["D", "K"], int | Literal["any"]]
    gradient_steps: int
    step_size: str
    """Where the length of each step comes from, in words."""
    linear_in_y: bool
    """Whether predictions are a linear function of y, the same for each of its columns, at the default parameters."""
    linear_in_y_given: tuple[str, ...] = ()
    """Parameters that make predictions such a function when they are given, all of them, where `linear_in_y` is not."""
    affine_in_query: bool = False
    """Whether predictions are a linear function of x_query and an intercept, whatever was observed."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    parameters: tuple[ParameterSpec, ...]
    merge: MergeRule
    opset: int
    producers: dict[str, str]
    """Versions of the libraries that wrote the file."""
    training: Training | None
    golden: Golden
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Hash of the file's bytes, with this value replaced by 64 zeros."""

    @property
    def state(self) -> tuple[TensorSpec, ...]:
        """The inputs that make up the recurrent state."""
        return tuple(spec for spec in self.inputs if spec.name.startswith("state."))

    @property
    def streams(self) -> bool:
        """Whether a context can live in a state; a model without one is one-shot."""
        return bool(self.state)

    @property
    def dtype(self) -> Dtype:
        """The precision of everything that goes in and out."""
        return self.inputs[0].dtype


def content_hash(file: bytes, sha256: str) -> str:
    """Hash a file's bytes, leaving out the place where its own hash stands.

    Args:
        file: The whole file.
        sha256: The hash that stands in it.
    """
    return hashlib.sha256(file.replace(sha256.encode(), UNHASHED.encode())).hexdigest()


def next_name(state_name: str) -> str:
    """Name the output that carries the state of an input: `state.count` → `next.count`."""
    return re.sub(r"^state\.", "next.", state_name)
