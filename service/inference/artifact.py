"""The contract of a model file: one ONNX graph, state in and state out, with its manifest inside.

Inputs   state.* (B, …) · x (B, N, D) · y (B, N, K) · weight (B, N) · x_query (B, M, D) · parameters ()
Outputs  prediction (B, M, K) · next.* (B, …), the state after the N observations

A zero state is "nothing seen yet"; N and M may be 0; weight 0 is padding and −w takes an observation out again.
A model that gives a predictive distribution has more (see `DISTRIBUTION` and `readout_shapes`): tables of its
features, and a readout, which depends on the state alone and can be given again with the next queries.
`export` writes such files, `runtime` reads them; this file is what they agree on.
"""

import hashlib
import re
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from gdssm.feature_plan import FeaturePlan

METADATA_KEY = "gdssm.manifest"
"""Where the manifest stands in the file's `metadata_props`."""
ModelKey = tuple[str, str]
"""Name and version of a model."""
UNHASHED = "0" * 64
"""Placeholder of the content hash while it is computed."""

Dtype = Literal["float32", "float64"]
Axis = Annotated[str, Field(pattern=r"^[A-Z][0-9]?(\+[A-Z][0-9]?)*$", max_length=40)] | int
"""A letter, a sum of letters, or a number.

B contexts, N observations, M queries, D columns of x, K columns of y; with features (see `gdssm.feature_plan`) G
indicators of missing cells (0 or D), A additive features, P products of pairs, and S0, S1 … sizes of groups.
"""


Task = Literal["regression", "classification"]
ColumnKind = Literal["number", "level"]
"""What a column of x may be: a number, or a level of a category, 1 where an observation has it and 0 elsewhere."""
DIAGNOSTICS: dict[str, tuple[Axis, ...]] = {
    "degrees_of_freedom": ("B",),
    "clipped": ("B", "M"),
    "constant": ("B", "D"),
}
"""Outputs that come with the `prediction` of a model with a readout: the effective number of observations less one, how
many columns of a query lie further out than any observation can and were moved in, and which columns of x do not vary.
"""
DISTRIBUTION: dict[str, tuple[Axis, ...]] = {"scale": ("B", "M", "K"), **DIAGNOSTICS}
"""Those of a regression, whose prediction is the middle of a Student t distribution."""
WANT_SCALE = "want_scale"
"""Input (): 0 where the scale is not asked for, which saves a third of a run."""
WANT_RESPONSE = "want_response"
"""Input (): 1 where `readout.response` is asked for, which explains predictions by the observations; 0 by default."""
RESPONSE = "readout.response"
CACHED_READY = "cached.ready"
"""Input (B,): 1 where `cached.*` is the readout of the state, to be used instead of computing it."""


def readout_shapes(prefix: str, features: str, task: Task) -> dict[str, tuple[Axis, ...]]:
    """Name what a state answers with: inputs `cached.*` and outputs `readout.*`.

    Args:
        prefix: cached or readout.
        features: The axis of all E features, as D+G+A+P.
        task: Of the model.
    """
    if task == "classification":
        return {
            f"{prefix}.weight": ("B", features, "K"),
            f"{prefix}.metric": ("B", "K", "K"),
            f"{prefix}.center": ("B", "K", "K"),
        }
    return {
        f"{prefix}.weight": ("B", features, "K"),
        f"{prefix}.covariance": ("B", "K", features, features),
        f"{prefix}.noise": ("B", "K"),
    }


class Record(BaseModel):
    """Frozen, and refuses what it does not know; in a response all fields are sent."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


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

    rule: Literal["scan", "moments", "cells", "none"]
    """scan: plain addition, nothing being forgotten; moments: count, mean, centred second moments, peak; cells: the
    same with missing cells and features; none: only the model can merge them, or there is no state."""


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
    task: Task
    """classification: y is one-hot, predictions are probabilities."""
    origin: Literal["constructed", "trained"]
    assumes: Assumptions
    dims: dict[Literal["D", "K"], int | Literal["any"]]
    gradient_steps: int
    """0 for gradient flow, averaged over its stopping time."""
    step_size: str
    """Where the length of each step comes from, in words."""
    linear_in_y: bool
    """Whether predictions are a linear function of y, the same for each of its columns, at the default parameters."""
    linear_in_y_given: tuple[str, ...] = ()
    """Parameters that make predictions such a function when they are given, all of them, where `linear_in_y` is not."""
    affine_in_query: bool = False
    """Whether predictions are a linear function of x_query and an intercept, whatever was observed."""
    features: FeaturePlan | None = None
    """Which features it makes of D columns; the runtime fills in their tables, inputs named `layout.*`."""
    missing_cells: bool = False
    """Whether a cell of x or x_query may be NaN, for missing."""
    column_kinds: tuple[ColumnKind, ...] = ("number",)
    """What a column of x may be declared to be, in `Observations.levels`; a level may also be sent as a number.
    Requests over HTTP declare none yet."""
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
    """In a file: the hash of its bytes, with this value replaced by 64 zeros. In an answer: the SHA-256 of the file."""

    _file_sha256: str = PrivateAttr("")

    @property
    def key(self) -> ModelKey:
        """Its name and version."""
        return self.name, self.version

    def read_from(self, file: bytes) -> Self:
        """Note the whole file that this was read from."""
        self._file_sha256 = hashlib.sha256(file).hexdigest()
        return self

    @cached_property
    def file_sha256(self) -> str:
        """The SHA-256 of the whole file, as `sha256sum` prints it: what answers call `sha256`."""
        return self._file_sha256 or self.sha256

    def published(self) -> Self:
        """Make the manifest that is answered: a file cannot hold its own hash, an answer can."""
        found = self.model_copy(update={"sha256": self.file_sha256})
        found._file_sha256 = ""  # noqa: SLF001  (of the same class)
        return found

    @cached_property
    def state(self) -> tuple[TensorSpec, ...]:
        """The inputs that make up the recurrent state."""
        return tuple(spec for spec in self.inputs if spec.name.startswith("state."))

    @cached_property
    def next_names(self) -> dict[str, str]:
        """The outputs that carry the state after the observations, by the names of its inputs."""
        return {spec.name: next_name(spec.name) for spec in self.state}

    @property
    def public_inputs(self) -> tuple[TensorSpec, ...]:
        """The inputs that a caller may send: all but the tables of features, which the runtime fills in."""
        return tuple(spec for spec in self.inputs if not spec.name.startswith("layout."))

    @property
    def usual_outputs(self) -> tuple[TensorSpec, ...]:
        """The outputs that a caller gets who names none: all but the matrices of the readout."""
        return tuple(spec for spec in self.outputs if spec.name not in {"readout.covariance", RESPONSE})

    @cached_property
    def gives_scale(self) -> bool:
        """Whether predictions come with the scale and degrees of freedom of a Student t distribution."""
        return any(spec.name == "scale" for spec in self.outputs)

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
