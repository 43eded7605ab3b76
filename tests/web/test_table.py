import re
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, Response, expect
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.running import Server
from tests.web.pages import View, sent, upload

Opened = Callable[..., Page]
ROWS = 61


@pytest.fixture
def table(opened: Opened) -> View:
    return View(opened("table", refusals=True), "table")


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(ROWS, 3)) * [1, 40, 0.2] + [0, 300, 1]
    return x, x @ [2.0, -0.05, 7.0] + rng.normal(size=ROWS) + 30


def write(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Semicolons, quotes around a name with a semicolon, CRLF, and a column of words."""
    lines = ['"size; m";colour;age;slope;price']
    lines += [f"{a!r};red;{b!r};{c!r};{t!r}" for (a, b, c), t in zip(x.tolist(), y.tolist(), strict=True)]
    path.write_bytes("\r\n".join(lines).encode())


def test_r2_of_an_uploaded_table_is_that_of_scikit_learn(table: View, server: Server, tmp_path: Path) -> None:
    x, y = data()
    write(tmp_path / "prices.csv", x, y)
    upload(table, tmp_path / "prices.csv")
    expect(table.part("file")).to_have_text("prices.csv: 61 rows, 4 columns of numbers. Left out, not numbers: colour.")
    expect(table.part("scores-title")).to_have_text("R² on 18 rows held out, from 43 seen")
    words = table.part("row").locator("option").all_inner_texts()
    held = [int(re.findall(r"row (\d+)", text)[0]) - 2 for text in words]
    seen = np.setdiff1d(np.arange(ROWS), held)
    for part, model in [
        ("r2-least-squares", LinearRegression()),
        ("r2-ridge", make_pipeline(StandardScaler(), Ridge(1.0))),
    ]:
        expected = r2_score(y[held], model.fit(x[seen], y[seen]).predict(x[held]))
        assert table.number(part) == pytest.approx(expected, abs=1e-9)
    body = {"model": "nonlinear", "context": {"x": x[seen].tolist(), "y": y[seen].tolist()}, "query": x[held].tolist()}
    answer = httpx.post(f"{server.url}/v1/predict", json=body).json()
    assert table.number("r2-model") == pytest.approx(r2_score(y[held], answer["prediction"]), abs=1e-5)


def test_weights_and_contributions_are_drawn_for_the_row_that_is_chosen_where_a_model_has_them(table: View) -> None:
    table.page.get_by_text("Try with an example").click()
    table.control("model").select_option("linear")
    weights = table.part("weights").locator("canvas")
    contributions = table.part("contributions").locator("canvas")
    expect(weights).to_have_attribute("aria-label", re.compile(r"Implicit weights: area \d+"))
    expect(contributions).to_have_attribute("aria-label", re.compile(r"Contributions: row \d+ "))
    before = contributions.get_attribute("aria-label") or ""
    table.part("row").select_option("5")
    expect(contributions).not_to_have_attribute("aria-label", before)
    table.host.locator(".frame canvas").click(position={"x": 100, "y": 250})
    expect(table.part("row")).not_to_have_value("5")

    expect(table.part("effects")).to_be_hidden()

    table.control("model").select_option("gd-8")
    expect(contributions).to_be_hidden()
    expect(weights).to_be_visible()
    expect(table.part("explain-call")).to_contain_text("explain=True")


def test_the_effects_and_interactions_of_nonlinear_are_those_of_the_service(table: View) -> None:
    with table.page.expect_response(explains) as explained:
        table.page.get_by_text("Try with an example").click()
    explanation = explained.value.json()["explanation"]
    columns = sorted(explanation["effects"]["columns"], key=lambda column: -column["strength"])
    names = ["area", "rooms", "age", "distance", "garden"]
    plots = table.part("effects").locator("figure:visible")
    expect(plots.locator("figcaption")).to_have_text([names[column["column"]] for column in columns])
    drawn = plots.first.locator("canvas").evaluate(
        "canvas => Chart.getChart(canvas).data.datasets.map(({ data }) => data.map(({ x, y }) => [x, y]))"
    )
    expected = [columns[0][name] for name in ("effect", "upper", "lower")]
    assert drawn == [[list(point) for point in zip(columns[0]["values"], each, strict=True)] for each in expected]

    bars = table.part("pairs").locator("canvas")
    expect(bars).to_have_attribute("aria-label", re.compile(r"Interactions: area × distance \d"))
    least = 0.01 * columns[0]["strength"]
    strong = [pair["strength"] for pair in explanation["pairs"] if pair["strength"] > least]
    assert bars.evaluate("canvas => Chart.getChart(canvas).data.datasets[0].data") == strong
    assert 0 < len(strong) < len(explanation["pairs"])
    expect(table.part("contributions").locator("canvas")).to_be_visible()
    expect(table.part("weights")).to_be_hidden()


def explains(response: Response) -> bool:
    return response.url.endswith("/v1/predict") and "explain" in sent(response.request)


def test_model_without_explanations_shows_a_note(table: View, tmp_path: Path) -> None:
    lines = ["x,y", *(f"{x / 4},{(x % 7) / 3}" for x in range(-16, 17))]
    (tmp_path / "one.csv").write_text("\n".join(lines))
    upload(table, tmp_path / "one.csv")
    table.control("model").select_option("sine-trained")
    expect(table.part("unexplained")).to_contain_text("model sine-trained has no explanation of its predictions")
    for part in ("weights", "effects", "pairs", "contributions", "explain-call"):
        expect(table.part(part)).to_be_hidden()


def test_target_features_and_held_out_rows_are_chosen_and_no_feature_is_refused(table: View) -> None:
    table.page.get_by_text("Try with an example").click()
    before = table.number("r2-model")
    table.part("features").get_by_label("area").uncheck()
    before = table.changes("r2-model", before)
    table.control("share").fill("0.5")
    expect(table.part("scores-title")).to_contain_text("75 rows held out, from 75 seen")
    before = table.number("r2-model")
    table.control("shuffle").click()
    before = table.changes("r2-model", before)
    table.control("target").select_option("age")
    expect(table.part("features").get_by_label("price")).to_be_checked()
    table.changes("r2-model", before)
    for box in table.part("features").get_by_role("checkbox").all():
        box.uncheck()
    expect(table.part("problem")).to_contain_text("Tick at least one column")


def test_a_table_that_is_pasted_is_read_or_refused_like_a_file(table: View) -> None:
    expect(table.part("drop")).to_be_visible()
    rows = "\n".join(["a\tb", *(f"{i}\t{2 * i}" for i in range(9))])
    table.page.evaluate("text => navigator.clipboard.writeText(text)", rows)
    table.page.keyboard.press("Control+V")
    expect(table.part("file")).to_have_text("pasted.csv: 9 rows, 2 columns of numbers.")
    table.page.evaluate("navigator.clipboard.writeText('nonsense')")
    table.page.keyboard.press("Control+V")
    expect(table.part("file-problem")).to_contain_text("pasted.csv: The file needs a header")


BAD = {
    "a word among numbers": ("a,b\n1,2\n3,4\n5,six\n7,8\n", "Row 4, column “b”: “six” is not a number."),
    "an empty cell": ("a,b\n1,2\n,4\n5,6\n", "Row 3, column “a”: is empty."),
    "a comma for the point": ("a;b\n1;2\n3;4,5\n5;6\n", "Row 3, column “b”: “4,5” is not a number."),
    "a short row": ("a,b\n1,2\n3\n", "Row 3: has 1 cells; the header has 2."),
    "a name that stands twice": ("a,a\n1,2\n3,4\n", "Row 1, column “a”: stands in the header twice."),
    "an open quote": ('a,b\n1,"2\n3,4\n', "Row 2, column 2: A quote is opened and never closed."),
    "words only": ("a,b\nx,y\nz,w\n", "Columns of numbers: 0; needed are a target and at least one feature."),
    "nothing": ("", "The file needs a header and at least two rows"),
}


def test_a_bad_table_is_refused_by_row_and_column(table: View, tmp_path: Path) -> None:
    for name, (text, message) in BAD.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        upload(table, path)
        expect(table.part("file-problem")).to_contain_text(f"{name}.csv: {message}")
    table.page.get_by_text("Try with an example").click()
    expect(table.part("file-problem")).to_be_hidden()
    table.number("r2-model")
