"""One model file in one onnxruntime session: the only door to a graph, for the service and for the export alike."""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

# onnxruntime reads this once, when it is imported; without it, it reports its use to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime
from pydantic import ValidationError

from service.errors import BrokenArtifact, InvalidInput, Problem
from service.inference import signature
from service.inference.artifact import (
    CACHED_READY,
    METADATA_KEY,
    RESPONSE,
    WANT_RESPONSE,
    WANT_SCALE,
    Manifest,
    TensorSpec,
    content_hash,
    readout_shapes,
)
from service.inference.cells import with_indicators
from service.inference.checks import has_nan
from service.inference.chunks import chunks, is_long
from service.inference.sizes import Array, Sizes, measure, shape_of
from service.inference.wide_class_readout import wide_class_readout
from service.inference.wide_readout import wide_readout
from service.levels import Levels, check_levels, with_new_levels
from service.observability.request_stats import CURRENT_STATS

HASH = re.compile(rb'"sha256":"([0-9a-f]{64})"')
HASHES_LIMIT = 4
"""A training record may name a hash or two; each is tried by hashing the whole file."""
NO_MANIFEST = f"it has no manifest (metadata {METADATA_KEY!r}), or not all of it; write it with `python -m export`."
MANIFEST_LENGTH_LIMIT = 2**20
"""Characters: it is answered as a whole by GET /v1/models/{name}."""
REASON_LENGTH_LIMIT = 500
"""Characters of another library's message."""
CACHED_SHAPES_LIMIT = 64
"""Combinations of shapes whose default inputs are cached."""
CACHED_BYTES_LIMIT = 2**18
"""Bytes of it that are kept for one of them."""
WIDE = 64
"""Features beyond which the readout is worked out behind the graph, whose own takes longer from there on."""
ONNX_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}


Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Of tensors by name."""


class Runtime:
    """A loaded and checked model; `run` is a pure function and may be called from several threads at once."""

    def __init__(self, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
        self._session = session
        # `session.run` calls this after checks that take 2.4 µs of the 28 of a small run: `benchmarks infrastructure`.
        self._run = getattr(session, "_sess", session).run
        self._outputs = [spec.name for spec in manifest.outputs]
        self._left_out: dict[tuple[Levels, Shapes], dict[str, Array]] = {}
        self.manifest = manifest
        self.wide = WIDE
        """See there; a check of the graph itself sets it higher."""

    @cached_property
    def _dtype(self) -> np.dtype[np.floating]:
        """Of all tensors; asked for when the manifest has been held against the graph."""
        return np.dtype(self.manifest.dtype)

    @classmethod
    def load(cls, path: Path, threads: int = 1) -> Self:
        """Open a model file and check it: its hash, its manifest against its graph, its golden answer.

        Args:
            path: The `.onnx` file.
            threads: Threads that one run may use.

        Raises:
            BrokenArtifact: With the file's name and the reason.
        """
        try:
            return cls.of_bytes(path.read_bytes(), threads)
        except BrokenArtifact as error:
            raise BrokenArtifact(f"{path.name}: {error}") from error
        except OSError as error:
            raise BrokenArtifact(f"{path.name}: the file cannot be read ({error.strerror}).") from error

    @classmethod
    def of_bytes(cls, file: bytes, threads: int = 1) -> Self:
        """Do what `load` does with the content of a file.

        Raises:
            BrokenArtifact: With the reason.
        """
        cls.check_hash(file)
        session = _open(file, threads)
        runtime = cls(session, _manifest(session).read_from(file))
        try:
            runtime._check(file)
        except BrokenArtifact:
            raise
        except Exception as error:  # a golden example may hold anything, and onnxruntime's errors share no base
            raise BrokenArtifact(f"its golden example cannot be run ({_short(error)}).") from error
        return runtime

    @staticmethod
    def check_hash(file: bytes) -> None:
        """See that a file is whole before onnxruntime reads it, which takes damaged ones badly.

        Raises:
            BrokenArtifact: It has no manifest, or does not match the hash there.
        """
        hashes = set(HASH.findall(file))
        if not hashes:
            raise BrokenArtifact(NO_MANIFEST)
        if not any(content_hash(file, sha256.decode()) == sha256.decode() for sha256 in sorted(hashes)[:HASHES_LIMIT]):
            raise BrokenArtifact("the content does not match its hash; the file was changed or cut short.")

    def run(self, tensors: Mapping[str, Array | float], levels: Levels = ()) -> dict[str, Array]:
        """Run the graph.

        Args:
            tensors: Inputs by name. Left out, `state.*` are zeros, `weight` ones, parameters their defaults, and x, y
                or x_query of length zero. The last columns of x may be levels that the state does not have yet.
            levels: Which columns of x and x_query are levels of categories: the same for all that a state learns.

        Returns:
            Every output by name.

        Raises:
            InvalidInput: Shapes do not fit each other or the model, or cannot be inferred.
            UnsupportedByModel: The model takes no levels.
        """
        arrays, stats = self.complete(tensors, levels), CURRENT_STATS.get()
        if stats is not None:
            contexts, observations, _ = arrays["x"].shape
            stats.model = self.manifest.name
            stats.observations += contexts * observations
            stats.queries += contexts * arrays["x_query"].shape[1]
        if self.manifest.features is not None:
            if self.manifest.features.makes_features and is_long(arrays):
                arrays = self._observe_in_chunks(arrays)
            if self._is_wide(arrays):
                return self._run_wide(arrays)
        return dict(zip(self._outputs, self._run(self._outputs, arrays, None), strict=True))

    def _observe_in_chunks(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """Observe, and return the inputs that are left: the state after, and the queries."""
        nothing = {name: arrays[name][:, :0] for name in ("x", "y", "weight")}
        observed = {**arrays, "x_query": arrays["x_query"][:, :0]}
        for piece in chunks(arrays):
            outputs = self._run(self._outputs, {**observed, **piece}, None)
            observed |= self.state_after(dict(zip(self._outputs, outputs, strict=True)))
        return {**observed, **nothing, "x_query": arrays["x_query"]}

    def _is_wide(self, arrays: Mapping[str, Array]) -> bool:
        """Whether the readout is computed outside the graph, which is quicker for many features."""
        wide = arrays["layout.block"].size > self.wide and arrays["x_query"].shape[1] > 0
        return wide and not arrays[CACHED_READY].any()

    def _run_wide(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """Observe, work out the readout behind the graph, and predict."""
        nothing = {name: arrays[name][:, :0] for name in ("x", "y", "weight")}
        observed = {**arrays, "x_query": arrays["x_query"][:, :0]}
        after = dict(zip(self._outputs, self._run(self._outputs, observed, None), strict=True))
        state = self.state_after(after)
        found = self._wide_readout(arrays, state)
        response = found.pop(RESPONSE, None)
        ready = {**found, CACHED_READY: np.ones(len(arrays["x"]), self._dtype)}
        outputs = self._run(self._outputs, {**arrays, **state, **nothing, **ready}, None)
        answer = dict(zip(self._outputs, outputs, strict=True))
        return answer if response is None else answer | {RESPONSE: response}

    def _wide_readout(self, arrays: Mapping[str, Array], state: Mapping[str, Array]) -> dict[str, Array]:
        groups = [array for name, array in arrays.items() if name.startswith("layout.group.")]
        block, outputs = arrays["layout.block"], arrays["y"].shape[2]
        if self.manifest.task == "classification":
            return wide_class_readout(state, outputs, block, groups)
        wanted = {"scale": bool(arrays[WANT_SCALE]), "response": bool(arrays[WANT_RESPONSE])}
        return wide_readout(state, outputs, block, groups, **wanted)

    def complete(self, tensors: Mapping[str, Array | float], levels: Levels = ()) -> dict[str, Array]:
        """Fill in the tensors that were left out, as `run` does, to be read only; parameters stay out."""
        dtype, arrays = self._dtype, {}
        for name, value in tensors.items():
            arrays[name] = np.asarray(value, dtype)
        if levels:
            arrays |= with_new_levels(arrays, levels)
        if self.manifest.missing_cells and "x" in arrays and has_nan(arrays["x"]):
            arrays |= with_indicators(arrays, arrays["x"].shape[2])
        fits = levels, (*arrays, *[array.shape for array in arrays.values()])
        left_out = self._left_out.get(fits)
        if left_out is None:
            left_out = self._work_out(arrays, levels)
            if sum(array.nbytes for array in left_out.values()) <= CACHED_BYTES_LIMIT:
                if len(self._left_out) >= CACHED_SHAPES_LIMIT:
                    self._left_out.clear()
                self._left_out[fits] = left_out
        return arrays | left_out

    def state_after(self, outputs: Mapping[str, Array]) -> dict[str, Array]:
        """Pick the state out of the outputs of `run`, named as the inputs of the next one."""
        return {name: outputs[after] for name, after in self.manifest.next_names.items()}

    def readout_of(self, outputs: Mapping[str, Array]) -> dict[str, Array]:
        """Pick the readout out of the outputs of `run`, named as the inputs that give it again, if there is one."""
        if self.manifest.features is None:
            return {}
        names = zip(*(readout_shapes(prefix, "", self.manifest.task) for prefix in ("cached", "readout")), strict=True)
        found = {given: outputs[name] for given, name in names}
        return {**found, CACHED_READY: np.ones(len(outputs["prediction"]), self._dtype)}

    def _work_out(self, arrays: Mapping[str, Array], levels: Levels) -> dict[str, Array]:
        """Make the tensors that are not there."""
        sizes, tables = measure(self.manifest.inputs, arrays), {}
        plan, left_out = self.manifest.features, {}
        if levels:
            check_levels(self.manifest, levels, sizes.get("D", 0))
        if plan is not None:
            sizes.setdefault("G", 0)
            if "D" in sizes:
                found = plan.tables(sizes["D"], sizes["G"], levels)
                tables = {f"layout.{name}": table for name, table in found.items()}
                features = plan.sizes(sizes["D"] - len(levels))
                sizes = {axis: size for axis, size in sizes.items() if "+" not in axis} | features
                _check_feature_sizes(self.manifest, arrays, sizes)
        for spec in self.manifest.inputs:
            if spec.name not in arrays:
                fill = np.ones if spec.name in {"weight", WANT_SCALE} else np.zeros
                array: Array = tables[spec.name] if spec.name in tables else fill(shape_of(spec, sizes), self._dtype)
                array.flags.writeable = False
                left_out[spec.name] = array
        return left_out

    def _check(self, file: bytes) -> None:
        sha256 = self.manifest.sha256
        if content_hash(file, sha256) != sha256:
            raise BrokenArtifact("the content does not match its hash; the file was changed or cut short.")
        graph, names = self._session, {parameter.name for parameter in self.manifest.parameters}
        _compare("input", self.manifest.inputs, graph.get_inputs())
        _compare("output", self.manifest.outputs, graph.get_outputs())
        if names != {initializer.name for initializer in graph.get_overridable_initializers()}:
            raise BrokenArtifact("the manifest's parameters are not the graph's optional inputs.")
        signature.check(self.manifest)
        self._check_golden()

    def _check_golden(self) -> None:
        golden = self.manifest.golden
        if golden.outputs.keys() != set(self._outputs):
            raise BrokenArtifact("the golden example must have every output of the graph, and nothing else.")
        answer = self.run(golden.inputs)
        for name, expected in golden.outputs.items():
            wanted = np.asarray(expected, self.manifest.dtype)
            tolerance = golden.tolerance * np.abs(wanted).max(initial=0.0)
            if answer[name].shape != wanted.shape or not np.allclose(answer[name], wanted, rtol=0, atol=tolerance):
                raise BrokenArtifact(f"{name} is not what the manifest's golden example says.")


def _check_feature_sizes(manifest: Manifest, arrays: Mapping[str, Array], sizes: Sizes) -> None:
    """See that a given state or readout has the features that the model makes of D columns, and 0 or D indicators.

    Raises:
        InvalidInput: It has not.
    """
    if sizes["G"] not in {0, sizes["D"]}:
        text = f"has {sizes['G']} columns; it must have none, or one for each of the {sizes['D']} columns of x."
        raise InvalidInput(Problem("state.present", text))
    for spec in manifest.public_inputs:
        given = arrays.get(spec.name)
        if given is not None and given.shape != (wanted := shape_of(spec, sizes)):
            raise InvalidInput(
                Problem(spec.name, f"has the shape {given.shape}; with D = {sizes['D']} it is {wanted}.")
            )


def _open(file: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_reuse = False  # planning it takes half of the time of loading, and saves none of a run
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # a failure is raised, and its text with it
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise BrokenArtifact(f"onnxruntime cannot load it ({_short(error)}).") from error


def _manifest(session: onnxruntime.InferenceSession) -> Manifest:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise BrokenArtifact(NO_MANIFEST)
    if len(text) > MANIFEST_LENGTH_LIMIT:
        raise BrokenArtifact(f"its manifest has {len(text)} characters; it may have at most {MANIFEST_LENGTH_LIMIT}.")
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BrokenArtifact(f"its manifest is not valid ({_short(error)}).") from error


def _short(error: Exception) -> str:
    """Shorten the text of an error to one line: it may quote anything from the file."""
    text = " ".join(str(error).split())
    return text if len(text) <= REASON_LENGTH_LIMIT else text[:REASON_LENGTH_LIMIT] + "…"


def _compare(kind: str, specs: tuple[TensorSpec, ...], tensors: list[onnxruntime.NodeArg]) -> None:
    """Hold the manifest's tensors against the graph's: names, dtypes, and every axis."""
    declared = {spec.name: (spec.dtype, list(spec.shape)) for spec in specs}
    found = {tensor.name: (ONNX_DTYPES.get(tensor.type, tensor.type), tensor.shape) for tensor in tensors}
    if declared != found:
        different = sorted(name for name in declared.keys() | found.keys() if declared.get(name) != found.get(name))
        raise BrokenArtifact(f"manifest and graph disagree about the {kind}s {', '.join(different)}.")
