"""The model against other methods, in cross-validation."""

import numpy as np
import pytest

from service.errors import InvalidInput
from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.tables import assessing
from service.tables.assessing import Assessment, assess
from service.tables.memory import table_of_columns
from service.tables.predicting import infer_schema, model_for
from service.tables.requested import Requested

ROWS = 120


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    settings = Settings()
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    return Predictor(Repository.load(settings.directories, 1), settings.default_model, limits)


def columns(rows: int = ROWS) -> dict[str, list[object]]:
    generator = np.random.default_rng(1)
    size, town = generator.uniform(30, 150, rows), generator.integers(0, 3, rows)
    price = 3 * size + 100 * town + generator.normal(0, 20, rows)
    names = [("Bern", "Basel", "Chur")[place] for place in town]
    gaps = generator.random(rows) < 0.1
    sizes = [None if gap else value for gap, value in zip(gaps, size.tolist(), strict=True)]
    dear = ["dear" if value > 400 else "cheap" for value in price]
    return {"size": sizes, "town": list(names), "price": price.tolist(), "class": list(dear)}


def assessed(predictor: Predictor, table: dict[str, list[object]], target: str) -> Assessment:
    source = table_of_columns(table, "rows")
    schema = infer_schema(source, Requested(target))
    return assess(source, schema, predictor, model_for(predictor, schema, None))


def test_numbers(predictor: Predictor) -> None:
    table = columns()
    del table["class"]
    found = assessed(predictor, table, "price")
    assert [score.method for score in found.scores] == ["nonlinear", "mean", "ridge regression", "random forest"]
    ours, mean, ridge, _ = found.scores
    assert found.rows == ROWS
    assert ours.r2 is not None
    assert mean.r2 is not None
    assert ridge.mae is not None
    assert ours.r2 > 0.7
    assert abs(mean.r2) < 0.2
    assert ours.coverage is not None
    assert 0.8 < ours.coverage <= 1
    assert ours.mae is not None
    assert ours.mae < 1.1 * ridge.mae
    assert f"within ±{ours.median_error:.3g} of price" in found.sentence


def test_classes(predictor: Predictor) -> None:
    table = columns()
    del table["price"]
    found = assessed(predictor, table, "class")
    ours, frequencies = found.scores[:2]
    assert (ours.method, frequencies.method) == ("classifier", "class frequencies")
    assert ours.accuracy is not None
    assert frequencies.accuracy is not None
    assert ours.accuracy > frequencies.accuracy + 0.1
    assert "of the classes are right; the most frequent one for every row: " in found.sentence
    assert "Its log loss is " in found.sentence


def test_columns_that_do_not_help_are_said_not_to(predictor: Predictor) -> None:
    generator = np.random.default_rng(3)
    table = {"a": generator.normal(size=60).tolist(), "y": generator.normal(size=60).tolist()}
    found = assessed(predictor, table, "y")
    ours, mean = found.scores[:2]
    assert (ours.error >= mean.error) == found.sentence.startswith("No better than the mean of y")


def test_absent_methods_are_named(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assessing, "find_spec", lambda _: None)
    table = columns()
    del table["class"]
    found = assessed(predictor, table, "price")
    assert [score.method for score in found.scores] == ["nonlinear", "mean"]
    assert "gdssm[sklearn]" in found.not_measured["random forest"]


@pytest.mark.parametrize(
    ("number", "text"), [(45234.6, "45,200"), (5.372, "5.37"), (0.00123456, "0.00123"), (0.0, "0")]
)
def test_errors_are_written_without_exponents(number: float, text: str) -> None:
    assert assessing._plain(number) == text


def test_few_rows_are_refused(predictor: Predictor) -> None:
    with pytest.raises(InvalidInput, match="needs at least 10"):
        assessed(predictor, {"a": [1, 2, 3, 5], "y": [1, 2, 3, 4]}, "y")


def test_rows_beyond_the_limit_are_sampled(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assessing, "ROWS_LIMIT", 50)
    table = columns()
    del table["class"]
    assert assessed(predictor, table, "price").rows == 50
