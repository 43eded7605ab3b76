"""Estimators that are fitted on frames with text, categories, booleans and times."""

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import cross_val_score
from sklearn.utils import get_tags

from gdssm_client.learning.schema import TableSchema
from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor
from gdssm_client.sklearn.encoded_frames import Encoded
from gdssm_client.sklearn.estimator import StateEstimator
from tests.closeness import assert_close
from tests.running import Server

N = 61
GENERATOR = np.random.default_rng(0)
TOWNS = np.array(["Bern", "Basel", "Chur"])
PREMIUM = np.array([50.0, 0.0, -40.0])
PLACE = GENERATOR.integers(0, 3, N)
SIZE = GENERATOR.uniform(30, 150, N)
PRICE = 3 * SIZE + PREMIUM[PLACE] + GENERATOR.normal(size=N)
FRAME = pd.DataFrame(
    {
        "size": SIZE,
        "town": TOWNS[PLACE],
        "balcony": GENERATOR.random(N) < 0.5,
        "built": pd.Timestamp("2020-01-01") + pd.to_timedelta(GENERATOR.integers(0, 1500, N), unit="D"),
        "id": np.arange(N),
    }
)
Y = pd.Series(PRICE, name="price")
LABELS = np.array(["low", "high"])[(np.median(PRICE) < PRICE).astype(int)]
X_COLUMNS = [
    "size", "town=Basel", "town=Chur", "town=Bern", "balcony", "built:days", "built:day_of_week_sin",
    "built:day_of_week_cos", "built:day_of_year_sin", "built:day_of_year_cos",
]  # fmt: skip
LIBRARIES: list[Callable[[pd.DataFrame], Any]] = [lambda frame: frame, pl.from_pandas, pa.Table.from_pandas]


def schema_of(estimator: StateEstimator) -> TableSchema:
    assert estimator.schema_ is not None
    return estimator.schema_


def encoded(frame: pd.DataFrame, columns: list[str]) -> NDArray[np.float64]:
    """The columns of x, worked out from the frame."""
    days = (frame["built"] - FRAME["built"].min()).dt.days.to_numpy()
    epoch = (frame["built"] - pd.Timestamp(0)).dt.days.to_numpy()
    week, year = 2 * np.pi * (epoch % 7) / 7, 2 * np.pi * (epoch / 365.2425 % 1)
    found = {
        "size": frame["size"].to_numpy(),
        **{f"town={town}": (frame["town"] == town).to_numpy() for town in (*TOWNS, "Genf")},
        "balcony": frame["balcony"].to_numpy(),
        "built:days": days,
        "built:day_of_week_sin": np.sin(week),
        "built:day_of_week_cos": np.cos(week),
        "built:day_of_year_sin": np.sin(year),
        "built:day_of_year_cos": np.cos(year),
    }
    return np.stack([found[name] for name in columns], 1).astype(float)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_a_frame_is_learnt_without_an_encoder(library: Callable[[pd.DataFrame], Any], model: str) -> None:
    rows = library(FRAME)
    fitted = GDSSMRegressor(model).fit(rows, Y)
    assert fitted.x_columns_ == X_COLUMNS
    assert fitted.n_features_in_ == 5
    assert list(fitted.feature_names_in_) == [*FRAME]
    assert schema_of(fitted).target.name == "price"
    assert [column.name for column in schema_of(fitted).columns if column.kind == "left_out"] == ["id"]
    prediction = fitted.predict(rows)
    assert isinstance(prediction, np.ndarray)
    assert np.sqrt(np.mean((prediction - PRICE) ** 2)) < 2
    numbers = encoded(FRAME, X_COLUMNS)
    dense = GDSSMRegressor(model).fit(numbers, PRICE)
    assert (dense.schema_, dense.x_columns_[0]) == (None, "x0")
    if model == "linear":  # levels are a separate block
        assert np.abs(dense.predict(numbers) - prediction).max() < 3
        assert_close(numbers @ fitted.coef_ + fitted.intercept_, prediction, "linear model", rtol=1e-7)
        assert fitted.coef_.shape == (len(X_COLUMNS),)
    lower, upper = fitted.predict_interval(rows)
    assert ((lower < prediction) & (prediction < upper)).all()
    effects = fitted.explain().effects
    assert effects is not None
    assert len(effects.columns) == len(X_COLUMNS)
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    np.testing.assert_array_equal(again.predict(rows), prediction)


def test_levels_are_not_numbers_to_the_model() -> None:
    """With many levels the features of numbers would be of levels too."""
    frame = FRAME.drop(columns=["built", "balcony"])
    fitted = GDSSMRegressor().fit(frame, Y)
    assert "levels" in {block.block for block in fitted.explain().blocks or ()}


@pytest.mark.parametrize("library", LIBRARIES)
def test_columns_are_found_by_name_in_any_order(library: Callable[[pd.DataFrame], Any]) -> None:
    fitted = GDSSMRegressor("linear").fit(FRAME, Y)
    expected = fitted.predict(FRAME)
    shuffled = FRAME[["id", "built", "town", "balcony", "size"]].assign(more="x")
    np.testing.assert_array_equal(fitted.predict(library(shuffled)), expected)
    np.testing.assert_array_equal(fitted.predict(library(FRAME.drop(columns="id"))), expected)


def test_missing_cells_and_new_levels_are_predicted() -> None:
    gaps = FRAME.astype({"balcony": object})
    gaps.loc[3, "town"], gaps.loc[4, "size"], gaps.loc[5, "balcony"] = None, np.nan, None
    gaps.loc[6, "built"] = pd.NaT
    fitted = GDSSMRegressor("linear").fit(gaps, Y)
    assert "town=(missing)" in fitted.x_columns_
    assert np.isfinite(fitted.predict(gaps)).all()
    before = GDSSMRegressor("linear").fit(FRAME, Y)
    prediction = before.predict(gaps)
    assert_close(np.delete(prediction, [3, 4, 5, 6]), np.delete(before.predict(FRAME), [3, 4, 5, 6]), "rest", rtol=1e-9)
    assert np.isfinite(prediction).all()
    new = before.predict(FRAME.assign(town="Genf"))
    numbers = encoded(FRAME.assign(town="Genf"), X_COLUMNS)
    assert_close(new, numbers @ before.coef_ + before.intercept_, "no level", rtol=1e-7)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME.drop(columns=["town", "size"]), "^X: has no column 'size', 'town'; it has 'balcony', 'built', 'id'."),
        (FRAME.assign(size="large"), r"^column 'size', X\[0\]: holds numbers in the context and 'large' here."),
        (FRAME.assign(built=3.0), r"^column 'built', X\[0\]: holds times in the context and '3' here."),
        (FRAME.assign(balcony=7), r"^column 'balcony', X\[0\]: holds yes or no in the context and '7' here."),
        (
            FRAME.assign(size=np.inf),
            r"^X must be numbers, texts, booleans or times; X\[0\], column 'size', is infinite",
        ),
        (FRAME.to_numpy(), "^X must be a frame, because the schema is one of named columns; this is of type ndarray."),
    ],
)
def test_missing_and_changed_columns_are_named(frame: Any, message: str) -> None:  # noqa: ANN401
    for fitted in (GDSSMRegressor().fit(FRAME, Y), GDSSMClassifier().fit(FRAME, LABELS)):
        y = PRICE if isinstance(fitted, GDSSMRegressor) else LABELS
        for ask in (partial(fitted.predict, frame), partial(fitted.partial_fit, frame, y)):
            with pytest.raises(ValueError, match=message):
                ask()
        assert fitted.n_observations_ == N


def encoded_by(estimator: StateEstimator, frame: pd.DataFrame) -> Encoded:
    found = estimator._frame_to_encode(frame, first=False)
    assert found is not None
    return estimator._encode(found)


@pytest.mark.parametrize("decay", [None, 0.95, "auto"])
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_later_levels_widen_the_state_exactly(model: str, decay: Any) -> None:  # noqa: ANN401
    """The state is that of an estimator that knew all levels; 41 rows fix the scale of features."""
    late = FRAME.assign(town=np.where(np.arange(N) < 43, FRAME["town"], np.where(PLACE == 0, "Genf", FRAME["town"])))
    pieces = GDSSMRegressor(model, decay=decay)
    for rows in (slice(0, 41), slice(41, 42), slice(42, N)):
        pieces.partial_fit(late[rows], Y[rows])
    assert pieces.x_columns_[-1] == "town=Genf"
    assert {*pieces.x_columns_[:-1]} == {*X_COLUMNS}
    assert schema_of(pieces).later == (("town", "Genf"),)
    whole = GDSSMRegressor(model, decay=decay)
    for rows in (slice(0, 41), slice(41, 42), slice(42, N)):
        whole._observe(encoded_by(pieces, late[rows]), Y[rows].to_numpy()[:, None], None)
    whole._flat = True
    assert encoded_by(whole, late).x.shape == (N, len(X_COLUMNS) + 1)
    assert_close(pieces.predict(late), whole.predict(late), "prediction", rtol=1e-6)


def test_later_levels_of_a_model_of_numbers_are_left_out() -> None:
    centred = FRAME[["size", "town"]].assign(size=(SIZE - SIZE.mean()) / 100)
    fitted = GDSSMRegressor("gd-8").fit(centred, PRICE - PRICE.mean())
    columns = fitted.x_columns_
    fitted.partial_fit(centred.assign(town="Genf"), PRICE - PRICE.mean())
    assert fitted.x_columns_ == columns == ["size", "town=Basel", "town=Chur", "town=Bern"]
    (finding,) = fitted.findings_
    assert (finding.column, finding.what, finding.cells, finding.example) == ("town", "new_level", N, "Genf")


def test_missing_numbers_are_named_by_column_where_the_model_takes_none() -> None:
    gaps = FRAME[["town", "size"]].assign(size=np.where(np.arange(N) == 3, np.nan, SIZE))
    with pytest.raises(ValueError, match=r"^X\[3\], column 'size': is missing; model gd-8 takes no missing cells"):
        GDSSMRegressor("gd-8").fit(gaps, Y)


def test_refused_observations_leave_the_schema_as_it_was() -> None:
    fitted = GDSSMRegressor("linear").fit(FRAME, Y)
    with pytest.raises(ValueError, match="allow_precision_loss"):
        fitted.partial_fit(FRAME[:2].assign(town="Genf", size=1e12), Y[:2])
    assert fitted.x_columns_ == X_COLUMNS
    assert np.isfinite(fitted.predict(FRAME)).all()


def test_weight_minus_one_removes_rows_of_a_frame() -> None:
    fitted = GDSSMRegressor("linear").fit(FRAME[:50], Y[:50])
    expected = fitted.predict(FRAME)
    new = FRAME[50:].assign(town="Genf")
    fitted.partial_fit(new, Y[50:]).partial_fit(new, Y[50:], sample_weight=-np.ones(N - 50))
    assert_close(fitted.predict(FRAME), expected, "prediction", rtol=1e-7)


@pytest.mark.parametrize("first", [1, 2, 5])
def test_a_first_call_with_few_rows_keeps_columns_that_vary_later(first: int) -> None:
    constant = FRAME[["size", "town", "balcony"]][:first].assign(town="Bern", balcony=True, size=80.0)
    fitted = GDSSMRegressor("linear").partial_fit(constant, Y[:first])
    assert fitted.x_columns_ == ["size", "town=Bern", "balcony"]
    fitted.partial_fit(FRAME[first:], Y[first:])
    assert {*fitted.x_columns_} == {"size", "balcony", *(f"town={town}" for town in TOWNS)}
    assert np.sqrt(np.mean((fitted.predict(FRAME[first:]) - PRICE[first:]) ** 2)) < 30
    if first > 1:
        mixed = constant.assign(size=SIZE[:first])
        assert GDSSMRegressor().fit(mixed, Y[:first]).x_columns_ == ["size"]
        assert GDSSMClassifier().fit(mixed, LABELS[:first]).x_columns_ == ["size"]


def test_kinds_override_what_is_inferred() -> None:
    frame = FRAME[["size", "id"]].assign(zip=8000 + PLACE)
    assert GDSSMRegressor().fit(frame, Y).schema_ is None
    fitted = GDSSMRegressor("linear", kinds={"zip": "category", "id": "number"}).fit(frame, Y)
    assert fitted.x_columns_ == ["size", "id", "zip=8001", "zip=8002", "zip=8000"]
    assert np.sqrt(np.mean((fitted.predict(frame.astype({"zip": str})) - PRICE) ** 2)) < 2
    assert GDSSMRegressor(kinds={"town": "left_out"}).fit(FRAME, Y).x_columns_[1] == "balcony"
    for kinds, message in (
        ({"street": "category"}, "There is no column 'street'; the table has 'size', 'id', 'zip'"),
        ({"zip": "enum"}, "kinds: column 'zip' is 'enum'; it must be one of 'number', 'yes_no', 'category', 'time'"),
        ({"zip": "time"}, "column 'zip': cannot be read as times."),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            GDSSMRegressor(kinds=kinds).fit(frame, Y)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="X must be a frame, because kinds names columns"):
        GDSSMRegressor(kinds={"zip": "category"}).fit(frame.to_numpy(), Y)


def test_frames_without_a_column_to_learn_from_are_refused() -> None:
    with pytest.raises(ValueError, match=r"No column is left to predict from: 'a' .*all cells are equal"):
        GDSSMRegressor().fit(pd.DataFrame({"a": ["x"] * N}), Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        GDSSMRegressor().fit(FRAME, Y[:3])
    with pytest.raises(ValueError, match="has no value in any row"):
        GDSSMRegressor().fit(FRAME[:0], Y[:0])


@pytest.mark.parametrize("columns", [[0, 1], ["town", "town_"]])
def test_names_of_columns_and_of_the_target(columns: list[object]) -> None:
    frame = pd.DataFrame({columns[0]: TOWNS[PLACE], columns[1]: SIZE})
    fitted = GDSSMRegressor("linear").fit(frame, Y.rename("town"))
    assert list(fitted.feature_names_in_) == [*map(str, columns)]
    assert schema_of(fitted).target.name == ("town" if columns == [0, 1] else "town__")
    assert np.sqrt(np.mean((fitted.predict(frame) - PRICE) ** 2)) < 2


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(LABELS),
        pd.Series(LABELS, dtype="category"),
        pd.Series(LABELS, dtype="string"),
        pl.Series(LABELS),
        pa.chunked_array([LABELS.tolist()]),
        pd.Series(LABELS == "low"),
        pd.Series(LABELS == "low", dtype="boolean"),
        pd.Series(np.where(LABELS == "low", 10, 9)),
        pd.Series(np.where(LABELS == "low", 10.0, 9.0)),
    ],
)
def test_labels_of_any_kind(labels: Any) -> None:  # noqa: ANN401
    fitted = GDSSMClassifier().fit(FRAME, labels)
    found = fitted.predict(FRAME)
    assert (found == np.asarray(labels)).mean() > 0.9
    assert len(schema_of(fitted).classes) == 2
    assert schema_of(fitted).classes[0] in {"high", "false", "9"}
    assert fitted.x_columns_ == X_COLUMNS


def test_missing_y_is_named() -> None:
    for column in (pd.Series(LABELS).mask(PLACE == 9), pd.Series(LABELS, dtype="string"), pl.Series(LABELS)):
        gaps = column.to_list()
        gaps[3] = None
        with pytest.raises(ValueError, match=r"^y\[3\] is missing. Fill it in, or leave the row out.$"):
            GDSSMClassifier().fit(FRAME, type(column)(gaps))
    with pytest.raises(ValueError, match=r"^y must be numbers; y\[3\] is missing"):
        GDSSMRegressor().fit(FRAME, Y.mask(np.arange(N) == 3))
    with pytest.raises(ValueError, match=r"^y must be numbers;"):
        GDSSMRegressor().fit(FRAME, LABELS)


def test_a_classifier_learns_in_pieces() -> None:
    whole, pieces = GDSSMClassifier().fit(FRAME, LABELS), GDSSMClassifier()
    pieces.partial_fit(FRAME[:41], LABELS[:41], classes=["low", "high"]).partial_fit(FRAME[41:], LABELS[41:])
    assert schema_of(pieces).classes == ("high", "low")
    assert (pieces.predict(FRAME) == whole.predict(FRAME)).mean() > 0.9


@pytest.mark.parametrize("estimator", [GDSSMRegressor(), GDSSMRegressor("linear", decay="auto"), GDSSMClassifier()])
def test_remote_estimators_match_local_ones(server: Server, estimator: BaseEstimator) -> None:
    y = LABELS if isinstance(estimator, GDSSMClassifier) else PRICE
    local, remote = (clone(estimator).set_params(url=url) for url in (None, server.url))
    for one in (local, remote):
        options = {"classes": ["low", "high"]} if isinstance(estimator, GDSSMClassifier) else {}
        one.partial_fit(FRAME[:41], y[:41], **options).partial_fit(FRAME[41:].assign(town="Genf"), y[41:])
        assert one.x_columns_[-1] == "town=Genf"
    np.testing.assert_array_equal(remote.predict(FRAME), local.predict(FRAME))
    if estimator.decay is None and not isinstance(estimator, GDSSMClassifier):
        assert str(remote.explain().blocks) == str(local.explain().blocks)


def test_tools_of_scikit_learn_take_frames() -> None:
    assert (cross_val_score(GDSSMRegressor(), FRAME, Y, cv=3) > 0.9).all()
    assert (cross_val_score(GDSSMClassifier(), FRAME, LABELS, cv=3) > 0.8).all()
    logs = TransformedTargetRegressor(GDSSMRegressor(), func=np.log, inverse_func=np.exp).fit(FRAME, Y)
    assert np.isfinite(logs.predict(FRAME)).all()
    assert get_tags(GDSSMRegressor()).input_tags.categorical


def test_several_outputs_of_a_frame() -> None:
    y = np.stack([PRICE, -PRICE, SIZE], 1)
    fitted = GDSSMRegressor("linear").fit(FRAME, y)
    assert np.shape(fitted.predict(FRAME)) == (N, 3)
    assert fitted.coef_.shape == (3, len(X_COLUMNS))


def test_an_estimator_forgets_its_schema() -> None:
    estimator = GDSSMRegressor("linear").fit(FRAME, Y)
    numbers = FRAME[["size", "id"]]
    assert estimator.fit(numbers, Y).schema_ is None
    assert list(estimator.feature_names_in_) == estimator.x_columns_ == ["size", "id"]
    np.testing.assert_array_equal(estimator.predict(numbers), GDSSMRegressor("linear").fit(numbers, Y).predict(numbers))
