"""The 90 % interval as a band behind the curve, and the notes of an answer."""

import math
import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Page, Response, expect

from tests.web.pages import View, sent

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
