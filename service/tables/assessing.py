"""Is the prediction any good? The model against others, on rows of the context that they have not learned.

Ridge regression and the random forest are those of scikit-learn, the extra `gdssm[sklearn]`; without it only the mean
(for classes, their frequencies) is compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidInput, Problem
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.levels import Levels
from service.tables.cells import Table
from service.tables.encoding import EncodedRows, Findings, observations
from service.tables.schema import TableSchema

FOLDS = 5
ROWS_LIMIT = 2_000
"""Rows that are used: the first of a seeded permutation of those that have a target."""
LEAST_ROWS = 10
"""With fewer rows scores say little."""
SEED = 0
INTERVAL = 0.9
TREES = 100
STRENGTHS = np.logspace(-3, 3, 13)
EPSILON = 1e-12

Answer = tuple[Array, Array | None, Array | None]
"""Predictions (M,) or probabilities (M, K), and bounds."""
Learner = Callable[[Array, Array, Array], Answer]
"""Takes x (N, D), y (N,) or (N, K) and queries (M, D)."""


@dataclass(frozen=True)
class MethodScore:
    """How well one method predicts rows that it has not learned."""

    method: str
    mae: float | None = None
    """Mean absolute error, in units of the target; None for classes."""
    median_error: float | None = None
    """Half of the predictions are within this distance of the target."""
    r2: float | None = None
    """Share of the variance that is explained: 1 is perfect, 0 is as good as the mean."""
    coverage: float | None = None
    """Part of the targets within the interval of 90 %, if the method has intervals."""
    accuracy: float | None = None
    """Part of the rows whose class is the most probable one; None for numbers."""
    log_loss: float | None = None
    """Mean of -log of the probability of the row's class, in nats."""

    @property
    def error(self) -> float:
        """The error by which methods are compared: `mae`, or `log_loss` for classes."""
        return self.mae if self.mae is not None else self.log_loss or 0.0


@dataclass(frozen=True)
class Assessment:
    """The scores of methods in cross-validation."""

    scores: tuple[MethodScore, ...]
    """The model first."""
    rows: int
    """Rows that were predicted, each once."""
    folds: int
    sentence: str
    not_measured: dict[str, str]
    """Methods that are not installed, and how to install them."""
    sample: EncodedRows
    """The rows, in random order."""
    held_out: Answer
    """The model's prediction for each of them, which has learned the other folds only."""


def assess(table: Table, schema: TableSchema, predictor: Predictor, runtime: Runtime) -> Assessment:
    """Predict rows of a table from the others, by the model and by other methods.

    Args:
        table: The context; at most `ROWS_LIMIT` of its rows are used.
        schema: Of the table.
        predictor: Has the limits.
        runtime: The model.

    Raises:
        InvalidInput: There are fewer than `LEAST_ROWS` rows with a target.
    """
    sample = _sample(table, schema)
    x, y = sample.x, sample.y
    if len(x) < LEAST_ROWS:
        text = f"has {len(x)} rows with a target; an assessment needs at least {LEAST_ROWS}."
        raise InvalidInput(Problem(table.name, text))
    levels = schema.levels_for(runtime.manifest.column_kinds)
    learners, absent = _learners(schema, _ours(predictor, runtime, levels), runtime.manifest.name)
    answers = {name: _cross_validate(learner, x, y) for name, learner in learners.items()}
    scores = tuple(_score(name, answer, y) for name, answer in answers.items())
    ours = answers[scores[0].method]
    sentence = _sentence(schema, scores, float(y.mean(0).max()))
    return Assessment(scores, len(x), FOLDS, sentence, absent, sample, ours)


def _sample(table: Table, schema: TableSchema) -> EncodedRows:
    """Read the rows with a target, at most `ROWS_LIMIT` of them, by reservoir sampling over chunks."""
    generator, kept, keys = np.random.default_rng(SEED), list[EncodedRows](), np.empty(0)
    columns = [*schema.feature_names, schema.target.name]
    for chunk in table.chunks(columns, text=schema.text_columns):
        kept.append(observations(schema, chunk, Findings()))
        keys = np.concatenate([keys, generator.random(len(kept[-1].x))])
        order = np.argsort(keys)[:ROWS_LIMIT]
        x, y, places = (np.concatenate([getattr(rows, name) for rows in kept])[order] for name in ("x", "y", "places"))
        kept, keys = [EncodedRows(x, y, None, places)], keys[order]
    return kept[0] if kept else EncodedRows(np.empty((0, 0)), np.empty(0), None, np.empty(0, np.intp))


def _ours(predictor: Predictor, runtime: Runtime, levels: Levels) -> Learner:
    wanted = Wanted(INTERVAL) if runtime.manifest.gives_scale else NOTHING

    def learner(x: Array, y: Array, query: Array) -> Answer:
        found = predictor.answer(runtime, Observations(x, y, None, levels), query, {}, wanted)
        return found.prediction, found.lower, found.upper

    return learner


def _learners(schema: TableSchema, ours: Learner, name: str) -> tuple[dict[str, Learner], dict[str, str]]:
    """Return the methods by name, and how to install those that are not there."""
    classes = schema.task == "classification"
    found: dict[str, Learner] = {name: ours, "class frequencies" if classes else "mean": _mean}
    further: dict[str, Callable[[], Any]] = (
        {"logistic regression": _logistic, "random forest": _forest_of_classes}
        if classes
        else {"ridge regression": _ridge, "random forest": _forest}
    )
    if find_spec("sklearn") is None:
        return found, dict.fromkeys(further, "needs scikit-learn: pip install 'gdssm[sklearn]'")
    for method, make in further.items():
        found[method] = partial(_by_classes if classes else _by_numbers, make)
    return found, {}


def _mean(x: Array, y: Array, query: Array) -> Answer:  # noqa: ARG001  (x does not matter)
    return np.repeat(y.mean(0, keepdims=True), len(query), 0), None, None


def _by_numbers(make: Callable[[], Any], x: Array, y: Array, query: Array) -> Answer:
    return make().fit(x, y).predict(query), None, None


def _by_classes(make: Callable[[], Any], x: Array, y: Array, query: Array) -> Answer:
    places = y.argmax(1)
    if len({*places.tolist()}) == 1:
        return _mean(x, y, query)
    fitted = make().fit(x, places)
    probabilities = np.zeros((len(query), y.shape[1]))
    probabilities[:, fitted.classes_] = fitted.predict_proba(query)
    return probabilities, None, None


def _prepared(method: Any) -> Any:  # noqa: ANN401  (scikit-learn ships no types)
    from sklearn.impute import SimpleImputer  # noqa: PLC0415  (an extra)
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    return make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler(), method)


def _ridge() -> Any:  # noqa: ANN401
    from sklearn.linear_model import RidgeCV  # noqa: PLC0415

    return _prepared(RidgeCV(STRENGTHS))


def _logistic() -> Any:  # noqa: ANN401
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    return _prepared(LogisticRegression(max_iter=1000))


def _forest() -> Any:  # noqa: ANN401
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415

    return _prepared(RandomForestRegressor(TREES, random_state=SEED))


def _forest_of_classes() -> Any:  # noqa: ANN401
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415

    return _prepared(RandomForestClassifier(TREES, random_state=SEED))


def _cross_validate(learner: Learner, x: Array, y: Array) -> Answer:
    """Predict each row by a method that has learned the other folds."""
    parts, order = list[Answer](), list[NDArray[np.intp]]()
    for held in np.array_split(np.arange(len(x)), FOLDS):
        known = np.ones(len(x), bool)
        known[held] = False
        parts.append(learner(x[known], y[known], x[held]))
        order.append(held)
    back = np.argsort(np.concatenate(order))
    prediction, lower, upper = zip(*parts, strict=True)
    if lower[0] is None:
        return np.concatenate(prediction)[back], None, None
    return np.concatenate(prediction)[back], np.concatenate(lower)[back], np.concatenate(upper)[back]


def _score(method: str, answer: Answer, y: Array) -> MethodScore:
    prediction, lower, upper = answer
    if y.ndim == 2:
        own = prediction[np.arange(len(y)), y.argmax(1)]
        right = prediction.argmax(1) == y.argmax(1)
        return MethodScore(method, accuracy=float(right.mean()), log_loss=float(-np.log(own.clip(min=EPSILON)).mean()))
    errors, variance = np.abs(y - prediction), float(((y - y.mean()) ** 2).mean())
    inside = None if lower is None or upper is None else float(((lower <= y) & (y <= upper)).mean())
    r2 = None if variance == 0 else 1.0 - float((errors**2).mean()) / variance
    return MethodScore(method, float(errors.mean()), float(np.median(errors)), r2, inside)


def _sentence(schema: TableSchema, scores: tuple[MethodScore, ...], most_frequent: float) -> str:
    """Say in words how good the model is, against the best of the others."""
    ours, others = scores[0], scores[1:]
    best = min(others, key=lambda score: score.error)
    if ours.accuracy is not None:
        text = f"{ours.accuracy:.0%} of the classes are right; the most frequent one for every row: {most_frequent:.0%}"
        return f"{text}. {_compared(ours, best)}"
    mean, name = next(score for score in others if score.method == "mean"), schema.target.name
    if ours.error >= mean.error:
        return f"No better than the mean of {name}: the columns say little about it."
    return f"{_compared(ours, best)} Half of the predictions are within ±{_plain(ours.median_error or 0.0)} of {name}."


def _plain(number: float) -> str:
    """Write three digits that count, without an exponent where that is readable: 45,200."""
    return f"{float(f'{number:.3g}'):,.12g}"


def _compared(ours: MethodScore, best: MethodScore) -> str:
    gain = 1.0 - ours.error / best.error if best.error else 0.0
    if abs(gain) < 0.005:
        return f"As good as {best.method}."
    if ours.accuracy is not None:
        return f"Its log loss is {abs(gain):.0%} {'lower' if gain > 0 else 'higher'} than that of {best.method}."
    return f"{abs(gain):.0%} {'better' if gain > 0 else 'worse'} than {best.method}."
