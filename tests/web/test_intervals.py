"""The 90 % interval: a band behind the curve, bars in the table, columns of the file; and the notes of an answer."""

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Page, Response, expect

from tests.web.pages import View, sent, upload

Opened = Callable[..., Page]
CLICKS = 20
SHAPES: dict[str, Callable[[float], float]] = {
    "two periods": lambda x: 0.8 * math.sin(2 * math.pi * x / 5),
    "a bump": lambda x: 1.5 * math.exp(-(x**2)) - 0.5,
    "a zigzag": lambda x: 0.8 * (abs((x + 5) % 4 - 2) - 1),
}
LINES = """canvas => Chart.getChart(canvas).data.datasets.map(
    ({ data, fill }) => ({ values: data.map(({ y }) => y), filled: Boolean(fill) }))"""
OPACITY = """(canvas, places) => {
    const chart = Chart.getChart(canvas), ratio = chart.currentDevicePixelRatio;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const pixel = (scale, value) => Math.round(scale.getPixelForValue(value) * ratio);
    const opacity = (x, y) => data[4 * (pixel(chart.scales.y, y) * canvas.width + pixel(chart.scales.x, x)) + 3];
    return places.map(([x, y]) => opacity(x, y)); }"""


def predict(
    page: Page, action: Callable[[], object], observations: int | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do something that asks for a prediction, from so many observations; returns the request and the answer."""

    def meant(response: Response) -> bool:
        if not response.url.endswith("/v1/predict"):
            return False
        return observations is None or len(sent(response.request)["context"]["y"]) == observations

    with page.expect_response(meant) as answered:
        action()
    return sent(answered.value.request), answered.value.json()


def numbers(answer: dict[str, Any]) -> list[list[float]]:
    """The prediction and both bounds."""
    return [answer["prediction"], answer["interval"]["lower"], answer["interval"]["upper"]]


def click(curve: View, x: float, y: float) -> None:
    """Click where (x, y) is on the plot."""
    canvas = curve.host.locator(".frame canvas")
    code = "(canvas, [x, y]) => { const { scales } = Chart.getChart(canvas);"
    code += " return [scales.x.getPixelForValue(x), scales.y.getPixelForValue(y)]; }"
    across, down = canvas.evaluate(code, [x, y])
    box = curve.box()
    curve.page.mouse.click(box["x"] + across, box["y"] + down)


def lines(view: View) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = view.host.locator(".frame canvas").evaluate(LINES)
    return found


@pytest.fixture
def curve(opened: Opened) -> View:
    view = View(opened("curve"), "curve")
    view.number("lower")
    return view


@pytest.fixture
def table(opened: Opened) -> View:
    return View(opened("table"), "table")


def test_the_band_has_the_bounds_of_the_service_and_a_name(curve: View) -> None:
    before = curve.number("lower")
    request, answer = predict(curve.page, lambda: curve.control("draw").click())
    assert (request["model"], request["interval"]) == ("nonlinear", 0.9)
    curve.changes("lower", before)
    lower, upper = answer["interval"]["lower"], answer["interval"]["upper"]
    assert (curve.number("lower"), curve.number("upper")) == (lower[-1], upper[-1])
    first = next(i for i, line in enumerate(lines(curve)) if line["filled"])
    assert [line["values"] for line in lines(curve)[first:]] == [upper[:-1], lower[:-1]]
    expect(curve.part("band-key")).to_have_text("90 % interval: 9 of 10 new points are expected inside")
    expect(curve.part("no-band")).to_be_hidden()
    expect(curve.host.locator(".frame canvas")).to_have_attribute(
        "aria-label", re.compile(r"in a band where 9 of 10 new points are expected, [\d.]+ wide")
    )
    expect(curve.host.locator(".probe")).to_have_attribute("aria-valuetext", re.compile("90 % interval −?[\\d.]+ to "))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_band_contrasts_with_the_background(opened: Opened, scheme: Literal["light", "dark"], width: int) -> None:
    curve = View(opened("curve", size={"width": width, "height": 800}), "curve")
    curve.page.emulate_media(color_scheme=scheme)
    curve.number("lower")
    canvas = curve.host.locator(".frame canvas")
    upper, lower = (line["values"] for line in lines(curve)[-2:])
    i = min(range(20, 140), key=lambda i: abs(upper[i] - lower[i] - 1))
    x = -5 + i / 16
    inside, outside = canvas.evaluate(OPACITY, [[x, 0.8 * lower[i] + 0.2 * upper[i]], [x, upper[i] + 0.1]])
    assert inside - outside > 25  # of 255, over the page's own ground


@pytest.mark.parametrize("model", ["gd-1", "gd-8", "sine-trained"])
def test_a_model_without_intervals_has_no_band(curve: View, model: str) -> None:
    before = curve.number("prediction")
    request, _ = predict(curve.page, lambda: curve.control("model").select_option(model))
    assert "interval" not in request
    curve.changes("prediction", before)
    assert not any(line["filled"] for line in lines(curve))
    expect(curve.part("band-key")).to_be_hidden()
    expect(curve.part("interval")).to_be_hidden()
    expect(curve.part("no-band")).to_have_text("this model gives no interval")


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_curve_follows_placed_points_and_its_band_contains_them(curve: View, shape: str) -> None:
    curve.control("clear").click()
    curve.host.locator(".probe").focus()
    for _ in range(2):
        curve.page.keyboard.press("Shift+ArrowLeft")  # out of the way
    value_at = SHAPES[shape]
    drawn = [-4.5 + 9 * i / (CLICKS - 1) for i in range(CLICKS)]
    for x in drawn[:-1]:
        click(curve, x, value_at(x))
    request, answer = predict(curve.page, lambda: click(curve, drawn[-1], value_at(drawn[-1])), CLICKS)
    between = slice(8, -9)  # not beyond the points, and without the probe
    y = np.array([value_at(x) for [x] in request["query"]])[between]
    prediction, lower, upper = np.array(numbers(answer))[:, between]
    assert np.sqrt(np.mean((prediction - y) ** 2)) < 0.25 * y.std()
    # Errors along one curve go together, so a share of 0.9 holds over many curves and not for each.
    assert np.mean((lower <= y) & (y <= upper)) > 0.5


def test_one_point_gives_a_prediction_and_a_note_but_no_band(curve: View) -> None:
    curve.control("clear").click()
    expect(curve.part("interval")).to_be_hidden()
    curve.place(0.5, 0.3)
    expect(curve.part("notes")).to_have_text(
        "There is one observation: the prediction is its y, and there is no interval yet."
    )
    curve.number("prediction")
    expect(curve.part("band-key")).to_be_hidden()
    assert not any(line["filled"] for line in lines(curve))
    curve.place(0.6, 0.6)
    expect(curve.part("notes")).to_have_text(re.compile("Parts of the curve are too far from the observations"))
    expect(curve.part("band-key")).to_be_visible()


def values(table: View, name: str) -> list[float]:
    found = table.part("predictions").locator(f"[data-of={name}]").evaluate_all("each => each.map((one) => one.value)")
    return [float(value) for value in found]


def test_table_shows_intervals_as_numbers_and_bars_and_writes_them_to_the_file(table: View, tmp_path: Path) -> None:
    _, answer = predict(table.page, lambda: table.page.get_by_text("Try with an example").click())
    expect(table.part("predictions").locator("tbody tr")).to_have_count(45)
    prediction, lower, upper = numbers(answer)
    assert (values(table, "predicted"), values(table, "lower"), values(table, "upper")) == (prediction, lower, upper)
    true = values(table, "true")
    outside = [not low <= y <= high for y, low, high in zip(true, lower, upper, strict=True)]
    expect(table.part("predictions").locator(".interval-mark")).to_have_count(45)
    expect(table.part("predictions").locator(".outside")).to_have_count(sum(outside))
    expect(table.part("coverage")).to_contain_text(
        f"{45 - sum(outside)} of the 45 true values are in their 90 % interval"
    )
    expect(table.part("coverage")).to_contain_text("9 of 10 new rows are expected inside.")
    bars = [y for line in lines(table)[-2:] for y in line["values"] if y is not None]
    assert sorted(bars) == sorted([*lower, *upper])

    with table.page.expect_download() as downloaded:
        table.part("download").click()
    assert downloaded.value.suggested_filename == "houses-predicted.csv"
    downloaded.value.save_as(tmp_path / "predicted.csv")
    with (tmp_path / "predicted.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "price_true", "price", "price_lower", "price_upper"]
    assert [[float(row[name]) for row in rows] for name in list(rows[0])[1:]] == [true, prediction, lower, upper]


def test_a_bar_reaches_from_bound_to_bound_in_proportion(table: View) -> None:
    table.page.get_by_text("Try with an example").click()
    row = table.part("predictions").locator("tbody tr").nth(4)
    lower, middle, upper = (
        float(row.locator(f"[data-of={name}]").get_attribute("value") or "") for name in ("lower", "predicted", "upper")
    )
    bar, mark = row.locator(".bar").first, row.locator(".middle")
    left, right, centre = (
        float((line.get_attribute(name) or "").removesuffix("%"))
        for line, name in ((bar, "x1"), (bar, "x2"), (mark, "x1"))
    )
    assert 0 < left < right < 100
    assert (centre - left) / (right - left) == pytest.approx((middle - lower) / (upper - lower), abs=0.01)


def test_clicking_a_row_of_predictions_explains_it(table: View) -> None:
    table.page.get_by_text("Try with an example").click()
    row = table.part("predictions").locator("tbody tr").nth(3)
    row.click()
    expect(row).to_have_class(re.compile("chosen"))
    expect(table.part("row")).to_have_value("3")


def test_a_model_without_intervals_has_no_bars(table: View, tmp_path: Path) -> None:
    table.page.get_by_text("Try with an example").click()
    before = table.number("r2-model")
    table.control("model").select_option("gd-1")
    table.changes("r2-model", before)
    expect(table.part("predictions").locator("tbody tr")).to_have_count(45)
    expect(table.part("predictions").locator(".interval-mark")).to_have_count(0)
    expect(table.part("predictions").get_by_role("columnheader")).to_have_text(["Row", "True", "Predicted"])
    for part in ("coverage", "bar-key", "marks"):
        expect(table.part(part)).to_be_hidden()
    assert [y for line in lines(table)[-2:] for y in line["values"] if y is not None] == []
    with table.page.expect_download() as downloaded:
        table.part("download").click()
    downloaded.value.save_as(tmp_path / "predicted.csv")
    assert (tmp_path / "predicted.csv").read_text().splitlines()[0] == "row,price_true,price"


def test_notes_name_the_columns_and_rows_of_the_table(table: View, tmp_path: Path) -> None:
    rows = [f"{i % 7},{i * i % 5},3,{i % 7 + i * i % 5}" for i in range(20)]
    (tmp_path / "constant.csv").write_text("\n".join(["a,b,same,y", *rows, "9000,1,3,4", "9001,1,3,4"]))
    upload(table, tmp_path / "constant.csv")
    notes = table.part("notes")
    expect(notes).to_contain_text("“same” does not vary among the observations and is left out.")
    (tmp_path / "wide.csv").write_text(
        "\n".join(["a,b,c,d,e,f,y", *(f"{i},{i * i},{i**3},{-i % 3},{i % 2},{i % 5},{i}" for i in range(5))])
    )
    upload(table, tmp_path / "wide.csv")
    expect(notes).to_contain_text("There are fewer observations than columns")
