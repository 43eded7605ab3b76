"""Effects of the columns of a table, and the observations that are most like a row."""

import numpy as np
import pytest

from service.datasets.nearest import nearest
from service.errors import InvalidInput, UnsupportedByModel
from service.inference.checks import Limits
from service.inference.predictor import Observations, Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.tables.effects import ColumnEffect, column_effects
from service.tables.encoding import EncodedRows, Findings, observations, queries
from service.tables.memory import MemoryTable, table_of_columns
from service.tables.predicting import infer_schema, model_for
from service.tables.requested import Requested
from service.tables.schema import TableSchema
from tests.nonempty import nonempty

ROWS = 150
LEVEL = 0.9
HIDDEN_SIZES = 69.2
"""Three times the difference of the mean size of the gaps to that of the others."""
TOWNS = ("Bern", "Basel", "Chur")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    settings = Settings()
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    return Predictor(Repository.load(settings.directories, 1), settings.default_model, limits)


def table() -> MemoryTable:
    generator = np.random.default_rng(1)
    size, town = generator.uniform(30, 150, ROWS), generator.integers(0, 3, ROWS)
    days, garden = generator.integers(0, 1500, ROWS), generator.random(ROWS) < 0.4
    price = 3 * size + 100 * town + 0.1 * days + 50 * garden + generator.normal(0, 5, ROWS)
    gaps = generator.random(ROWS) < 0.1
    sold = [str(np.datetime64("2019-03-01") + day) for day in days.tolist()]
    return table_of_columns(
        {
            "size": [None if gap else value for gap, value in zip(gaps, size.tolist(), strict=True)],
            "town": [TOWNS[place] for place in town],
            "sold": sold,
            "garden": ["yes" if one else "no" for one in garden],
            "price": price.tolist(),
        },
        "rows",
    )


def read(source: MemoryTable) -> tuple[TableSchema, EncodedRows]:
    schema = infer_schema(source, Requested("price"))
    (chunk,) = source.chunks(source.columns, text={"town"})
    return schema, observations(schema, chunk, Findings())


def found(predictor: Predictor, model: str = "nonlinear") -> dict[str, ColumnEffect]:
    schema, rows = read(table())
    effects = column_effects(schema, rows, predictor.runtime(model), LEVEL)
    return {f"{effect.column}:{effect.part}" if effect.part else effect.column: effect for effect in effects}


def test_effects_are_those_that_the_target_was_made_of(predictor: Predictor) -> None:
    effects = found(predictor)
    assert [*effects] == ["size", "town", "sold:elapsed", "sold:day_of_week", "sold:day_of_year", "garden"]
    town = dict(zip(effects["town"].values, effects["town"].effect, strict=True))
    assert town["Basel"] - town["Bern"] == pytest.approx(100, abs=10)
    assert town["Chur"] - town["Bern"] == pytest.approx(200, abs=10)
    assert effects["garden"].values == ("no", "yes")
    assert np.diff(effects["garden"].effect) == pytest.approx([50], abs=10)
    size = effects["size"]
    assert size.effect[-1] - size.effect[0] == pytest.approx(3 * (size.values[-1] - size.values[0]), rel=0.1)  # type: ignore[operator]
    assert size.missing == pytest.approx(HIDDEN_SIZES, abs=15)
    assert effects["town"].missing is None
    elapsed = effects["sold:elapsed"]
    assert str(elapsed.values[0]).startswith("2019-03-")
    assert elapsed.effect[-1] - elapsed.effect[0] == pytest.approx(150, rel=0.15)
    assert effects["sold:day_of_week"].values[0] == "Monday"
    assert effects["sold:day_of_year"].values[1] == "02-01"
    strengths = {name: effect.strength for name, effect in effects.items()}
    assert max(strengths, key=lambda name: strengths[name]) == "size"
    for effect in effects.values():
        assert len(effect.values) == len(effect.effect)
        assert effect.lower is not None
        assert effect.upper is not None
        assert (effect.lower < effect.effect).all()
        assert (effect.effect < effect.upper).all()


def test_the_effects_of_a_row_add_up_to_the_prediction_of_a_model_without_pairs(predictor: Predictor) -> None:
    schema, rows = read(table())
    runtime = predictor.runtime("linear")
    source = table_of_columns({"size": [80.0], "town": ["Chur"], "sold": ["2020-06-15"], "garden": ["yes"]}, "query")
    (chunk,) = source.chunks(source.columns, text={"town"})
    query = queries(schema, chunk, Findings())
    levels = schema.levels if "level" in runtime.manifest.column_kinds else ()
    prediction = predictor.answer(runtime, Observations(rows.x, rows.y, None, levels), query, {}).prediction[0]
    total = float(rows.y.mean())
    day = np.datetime64("2020-06-15").astype("datetime64[s]").astype(float)
    for effect in column_effects(schema, rows, runtime, None):
        if effect.column == "size":
            total += np.interp(80.0, np.array(effect.values, float), effect.effect)
        elif effect.part == "elapsed":
            times = [np.datetime64(str(value)).astype("datetime64[s]").astype(float) for value in effect.values]
            total += np.interp(day, times, effect.effect)
        elif effect.part == "day_of_week":
            total += effect.effect[effect.values.index("Monday")]
        elif effect.part == "day_of_year":
            total += np.interp(15 / 30, [0, 1], [effect.effect[5], effect.effect[6]])
        else:
            total += effect.effect[effect.values.index({"town": "Chur", "garden": "yes"}[effect.column])]
    assert prediction == pytest.approx(total, abs=1.0)


def test_a_model_of_classes_has_no_effects(predictor: Predictor) -> None:
    source = table_of_columns({"size": [float(i) for i in range(20)], "kind": ["a", "b"] * 10}, "rows")
    schema = infer_schema(source, Requested("kind"))
    (chunk,) = source.chunks(source.columns, text={"kind"})
    rows = observations(schema, chunk, Findings())
    with pytest.raises(UnsupportedByModel, match="no effects of columns"):
        column_effects(schema, rows, model_for(predictor, schema, None))


def test_nearest_rows_are_those_of_standardised_columns() -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=(61, 3)) * [1.0, 1000.0, 0.01] + [5.0, -3.0, 1e6]
    query = x[[7, 40]] + [0.001, 0.1, 0.0]
    x[3, 1] = np.nan
    query[1, 2] = np.nan
    places = nearest(x, query, 3)
    assert places.shape == (2, 3)
    z = (x - np.nanmean(x, 0)) / np.nanstd(x, 0)
    for row, own in nonempty(zip(places, (query - np.nanmean(x, 0)) / np.nanstd(x, 0), strict=True)):
        distance = ((np.nan_to_num(z) - np.nan_to_num(own)) ** 2).sum(1)
        assert row.tolist() == np.argsort(distance)[:3].tolist()
    assert places[0, 0] == 7


def test_nearest_rows_of_few_are_all_and_too_many_distances_are_refused() -> None:
    x = np.array([[1.0, 4.0], [2.0, 4.0]])
    assert nearest(x, np.array([[1.9, 7.0]]), 5).tolist() == [[1, 0]]
    with pytest.raises(InvalidInput, match=r"nearest: compares 20000 rows with 20000"):
        nearest(np.zeros((20_000, 1)), np.zeros((20_000, 1)), 3)
