"""The base class of the regressor and the classifier: a state that fit and partial_fit update.

The state is all that is stored of the data. A remote estimator sends it with every request, so that the server stores
nothing, and clone, pickle and joblib work as for any estimator.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from numbers import Number
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import (
    _check_n_features,
    _check_sample_weight,
    check_array,
    check_consistent_length,
    check_is_fitted,
    check_X_y,
    validate_data,
)

from gdssm_client import frame_tables, frames
from gdssm_client.frames import Frame
from gdssm_client.learning import drift
from gdssm_client.learning.checks import missing_problems
from gdssm_client.learning.drift import check_decay
from gdssm_client.learning.encoding import Finding
from gdssm_client.learning.errors import InvalidInput, Problem
from gdssm_client.learning.forgetting import AUTO, Decay
from gdssm_client.learning.history import Rows
from gdssm_client.learning.learning import Learned, learn_rows, with_further_levels
from gdssm_client.learning.schema import TableSchema
from gdssm_client.learning.tensors import COUNT
from gdssm_client.progress import ProgressBar
from gdssm_client.schemas import Manifest
from gdssm_client.secret import PrivateUrl, Secret, SupportsSecret, shown
from gdssm_client.sklearn import encoded_frames
from gdssm_client.sklearn.encoded_frames import Encoded, Kinds
from gdssm_client.sklearn.engine import Engine, local_manifest, open_engine, takes_levels

Array = NDArray[np.float64]

CALL_NUMBERS = 2**19
"""Numbers of x and y in one request: 4 MiB, which with the state is well below the limits of a service."""

NAMES_ONLY: dict[str, Any] = {"skip_check_array": True, "ensure_2d": False}
"""scikit-learn checks the names of columns only; `frames` converts numbers."""
ALLOW_NAN: dict[str, Any] = {"dtype": np.float64, "ensure_all_finite": "allow-nan"}
"""The model decides whether cells may be missing."""


class StateEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A context as an estimator; the subclasses document the parameters."""

    decay: Decay = None
    allow_precision_loss: bool = False
    verbose: bool = False
    kinds: Kinds = None
    schema_: TableSchema | None = None
    findings_: tuple[Finding, ...] = ()
    """Estimators that earlier versions pickled lack these."""

    def __init__(
        self,
        model: str,
        learning_rate: float | None,
        url: str | None,
        api_key: str | SupportsSecret | None,
        allow_precision_loss: bool,
        *,
        verbose: bool,
    ) -> None:
        self.allow_precision_loss = allow_precision_loss
        self.verbose = verbose
        self.model = model
        self.learning_rate = learning_rate
        self.url = url
        self.api_key = api_key

    @property
    def api_key(self) -> SupportsSecret | None:
        """The key for the service: a `Secret`, as scikit-learn prints parameters."""
        key: SupportsSecret | None = self.__dict__["api_key"]
        return key

    @api_key.setter
    def api_key(self, key: str | SupportsSecret | None) -> None:
        self.__dict__["api_key"] = Secret(key) if isinstance(key, str) else key

    @property
    def url(self) -> str | None:
        """The service: a `PrivateUrl` if it has a user or a password, as scikit-learn prints parameters."""
        url: str | None = self.__dict__["url"]
        return url

    @url.setter
    def url(self, url: str | None) -> None:
        self.__dict__["url"] = PrivateUrl(url) if type(url) is str and shown(url) != url else url

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  (scikit-learn ships no types)
        """Allow sparse X, and NaN and categories for models that know them; a remote model is checked later."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        manifest = local_manifest(self.model) if self.url is None else None
        unknown = self.url is not None
        missing, levels = (unknown, unknown) if manifest is None else (manifest.missing_cells, takes_levels(manifest))
        tags.input_tags.allow_nan = getattr(self, "_missing_cells", missing)
        tags.input_tags.categorical = getattr(self, "_takes_levels", levels)
        return tags

    def _checked(
        self,
        X: ArrayLike,
        y: ArrayLike,
        read_y: Callable[[object], NDArray[Any]],
        *,
        more_to_come: bool,
        **kinds: bool,
    ) -> tuple[Encoded, NDArray[Any]]:
        """Read X and y, and check that they fit each other and earlier observations.

        Args:
            X: (N, D), or a frame with columns of any kind.
            y: (N,) or (N, K).
            read_y: Converts y to an array.
            more_to_come: Whether constant columns of a first frame may vary later.
            **kinds: Options of scikit-learn's `check_X_y` for y.
        """
        first = not hasattr(self, "state_")
        frame = self._frame_to_encode(X, first=first)
        if frame is None:
            numbers = frames.read(X, "X", missing=True).numbers
            validate_data(self, X, y, reset=first, **NAMES_ONLY)
            x, targets = check_X_y(numbers, read_y(y), estimator=self, **ALLOW_NAN, **kinds)
            _check_n_features(self, x, reset=first)
            return Encoded(x), targets
        targets = read_y(y)
        check_consistent_length(frame, targets)
        if first:
            table, name = encoded_frames.table_of(frame), encoded_frames.target_name(y, frame)
            outputs = None if is_classifier(self) else targets
            schema = encoded_frames.schema_of(table, outputs, name, self.kinds, keep_constant=more_to_come)
            found = encoded_frames.encode(schema, table)
            self.feature_names_in_, self.n_features_in_ = np.array(table.columns, object), len(table.columns)
        else:
            found = self._encode(frame, further_levels=self._takes_levels)
        x, targets = check_X_y(found.x, targets, estimator=self, **ALLOW_NAN, **kinds)
        return found._replace(x=x), targets

    def _encode(self, frame: Frame, *, further_levels: bool = False) -> Encoded:
        assert self.schema_ is not None  # noqa: S101  (see `_frame_to_encode`)
        table = encoded_frames.table_for(self.schema_, frame)
        return encoded_frames.encode(self.schema_, table, further_levels=further_levels)

    def _frame_to_encode(self, X: ArrayLike, *, first: bool) -> Frame | None:
        """Return a frame that a schema encodes; None if X is numbers.

        Raises:
            ValueError: X is no frame, and it must be one.
        """
        frame = frame_tables.frame_of(X, "X")
        needed = self.kinds is not None if first else self.schema_ is not None
        if frame is None and needed:
            why = "kinds names columns" if first else "the schema is one of named columns"
            raise ValueError(f"X must be a frame, because {why}; this is of type {type(X).__name__}.")
        if frame is None or not (needed or (first and not frame_tables.is_numeric(frame))):
            return None
        return frame

    def _observe(self, encoded: Encoded, columns: Array, sample_weight: ArrayLike | None) -> Self:
        """Add observations to the state."""
        x, schema = encoded.x, encoded.schema
        weight = np.ones(len(x)) if sample_weight is None else _weights(sample_weight, x)
        with self._engine(schema) as engine:
            _check_cells(engine.manifest, x, schema)
            check_decay(engine.manifest, self.decay)
            if self.decay not in {None, 1.0} and (weight < 0).any():
                raise ValueError(f"With decay {self.decay} weights must not be negative: removing requires decay None.")
            kept = self._kept_before()
            further = (
                0
                if schema is None or not kept.state
                else len(schema.later) - len(self.schema_.later if self.schema_ else ())
            )
            if further:
                kept = with_further_levels(kept, x.shape[1], columns.shape[1], further, engine.levels)
            # Only observations of earlier calls can lose digits.
            allow = self.allow_precision_loss or not hasattr(self, "state_")
            with ProgressBar("Fitting", len(x), shown=self.verbose) as bar:
                for rows in _pieces(len(x), x.shape[1] + columns.shape[1]):
                    new = Rows(x[rows], columns[rows], weight[rows], columns.shape[1] == 1, start=rows.start)
                    kept = learn_rows(engine.manifest, engine.infer, kept, self.decay, new, allow_precision_loss=allow)
                    bar.update(rows.stop)
            self.model_version_, self._missing_cells = engine.manifest.version, engine.manifest.missing_cells
            self._takes_levels = takes_levels(engine.manifest)
        self._kept, self.state_ = kept, kept.state
        self.schema_, self.findings_ = schema, encoded.findings
        self.n_observations_ = getattr(self, "n_observations_", 0) + len(x)
        return self

    def _kept_before(self) -> Learned:
        """Return the state; estimators that earlier versions pickled have `state_` only."""
        state = getattr(self, "state_", {})
        kept: Learned = getattr(self, "_kept", Learned(state, float(state[COUNT].sum()) if state else 0.0))
        return kept

    def _answer(self, X: ArrayLike) -> Array:
        """Predict (M, K)."""
        (prediction,) = self._outputs(X, "prediction")
        return prediction

    def _outputs(self, X: ArrayLike, *names: str) -> list[Array]:
        """Compute outputs (M, K) or (M,) by name."""
        check_is_fitted(self, "state_")
        frame = self._frame_to_encode(X, first=False)
        if frame is None:
            numbers = frames.read(X, "X", missing=True).numbers
            validate_data(self, X, reset=False, **NAMES_ONLY)
            x = check_array(numbers, estimator=self, input_name="X", **ALLOW_NAN)
            _check_n_features(self, x, reset=False)
        else:
            x = check_array(self._encode(frame).x, estimator=self, input_name="X", **ALLOW_NAN)
        with self._engine(self.schema_) as engine:
            _check_cells(engine.manifest, x, self.schema_)
            if "scale" in names and not engine.manifest.gives_scale:
                manifest = engine.manifest
                raise ValueError(
                    f"Model {manifest.name} {manifest.version} gives no intervals. Use linear or nonlinear."
                )
            parts = []
            contexts = drift.FACTORS if self.decay == AUTO else 1
            with ProgressBar("Predicting", len(x), shown=self.verbose) as bar:
                for rows in _pieces(len(x), contexts * x.shape[1]):
                    found = engine.predict(self.state_, x[rows], self._parameters(), scale="scale" in names)
                    parts.append([_of_rows(found[name][0], len(x[rows])) for name in names])
                    bar.update(rows.stop)
        return [np.concatenate(pieces).astype(np.float64) for pieces in zip(*parts, strict=True)]

    def _parameters(self) -> dict[str, NDArray[Any]]:
        rate = self.learning_rate
        return {} if rate is None else {"learning_rate": np.array(frames.number(rate, "learning_rate"))}

    def _forget(self) -> None:
        """Reset to the unfitted estimator."""
        of_model = ("model_version_", "_missing_cells", "_takes_levels")
        for name in ("state_", "_kept", "n_observations_", "schema_", "findings_", *of_model):
            self.__dict__.pop(name, None)

    def _engine(self, schema: TableSchema | None) -> AbstractContextManager[Engine]:
        """Open the model, in the version of the state if there is one."""
        levels = () if schema is None else schema.levels
        return open_engine(self.model, getattr(self, "model_version_", None), self.url, self.api_key, levels)

    @property
    def x_columns_(self) -> list[str]:
        """The names of the columns of x: those of X, or those that its text, times and so on become.

        Raises:
            NotFittedError: The estimator is not fitted.
        """
        check_is_fitted(self, "state_")
        if self.schema_ is not None:
            return [*self.schema_.x_columns]
        return [*map(str, getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)]))]


def _weights(sample_weight: ArrayLike, x: Array) -> Array:
    one = isinstance(sample_weight, Number)
    weights = sample_weight if one else frames.read(sample_weight, "sample_weight").numbers
    return np.asarray(_check_sample_weight(weights, x, dtype=np.float64))


def _of_rows(output: Array, rows: int) -> Array:
    """Repeat a scalar output for all queries."""
    return output if output.ndim else np.full(rows, output)


def _pieces(rows: int, columns: int) -> Iterator[slice]:
    size = max(1, CALL_NUMBERS // columns)
    return (slice(start, start + size) for start in range(0, rows, size))


def _check_cells(manifest: Manifest, x: Array, schema: TableSchema | None) -> None:
    problems = missing_problems(manifest, "X", x)
    if problems and schema is not None:  # the columns of x are not those of X
        places = np.argwhere(np.isnan(x)).tolist()
        cells = [f"X[{row}], column {schema.x_columns[column]!r}" for row, column in places[: len(problems)]]
        problems = [Problem(cell, problem.message) for cell, problem in zip(cells, problems, strict=True)]
    if problems:
        raise InvalidInput(*problems)
