import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.pages import View, box_of, sent

Opened = Callable[..., Page]


@pytest.fixture
def curve(opened: Opened) -> View:
    return View(opened("curve"), "curve")


def test_the_first_view_shows_points_and_a_prediction_without_a_click(curve: View) -> None:
    expect(curve.points).to_have_count(12)
    assert -3 < curve.number("prediction") < 3
    expect(curve.host.locator(".latency")).to_contain_text(re.compile(r"Answered in \d+\.\d ms, \d+\.\d ms of it"))
    expect(curve.part("problem")).to_be_hidden()


def test_a_point_is_placed_with_a_click_and_dragged_and_the_curve_follows(curve: View) -> None:
    before, picture = curve.number("prediction"), curve.picture()
    with curve.page.expect_request("**/v1/predict") as asked:
        curve.place(0.2, 0.1)
    expect(curve.points).to_have_count(13)
    assert len(sent(asked.value)["context"]["y"]) == 13
    before = curve.changes("prediction", before)
    assert curve.picture() != picture
    point = curve.points.nth(6)
    label, box, plot = point.get_attribute("aria-label"), box_of(point), curve.box()
    curve.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    curve.page.mouse.down()
    curve.page.mouse.move(plot["x"] + 0.6 * plot["width"], plot["y"] + 0.15 * plot["height"], steps=7)
    curve.page.mouse.up()
    expect(point).not_to_have_attribute("aria-label", label or "")
    expect(curve.points).to_have_count(13)
    curve.changes("prediction", before)


def test_the_keyboard_moves_the_query_moves_and_removes_points_and_a_double_click_removes_too(curve: View) -> None:
    before, point = curve.number("prediction"), curve.points.nth(3)
    curve.host.locator(".probe").focus()
    curve.page.keyboard.press("ArrowRight")
    assert curve.changes("query", -3.2) == pytest.approx(-3.1)
    before = curve.changes("prediction", before)
    label = point.get_attribute("aria-label")
    point.focus()
    curve.page.keyboard.press("Shift+ArrowUp")
    expect(point).not_to_have_attribute("aria-label", label or "")
    moved = curve.changes("prediction", before)
    curve.page.keyboard.press("Delete")
    expect(curve.points).to_have_count(11)
    curve.changes("prediction", moved)
    expect(curve.points.nth(3)).to_be_focused()
    curve.points.nth(5).dblclick()
    expect(curve.points).to_have_count(10)


def test_model_and_features_change_the_request(curve: View) -> None:
    before = curve.number("prediction")
    with curve.page.expect_request("**/v1/predict") as asked:
        curve.control("model").select_option("linear")
    assert sent(asked.value)["model"] == "linear"
    line = curve.changes("prediction", before)
    with curve.page.expect_request("**/v1/predict") as asked:
        curve.control("features").select_option("bumps")
    assert len(sent(asked.value)["query"][0]) == 9
    curve.changes("prediction", line)


@pytest.mark.parametrize("own_rate", [True, False], ids=["learning_rate", "line search"])
def test_eight_gradient_steps_one_at_a_time_are_gd_8(curve: View, own_rate: bool) -> None:
    before = curve.number("prediction")
    curve.control("model").select_option("gd-8")
    straight = curve.changes("prediction", before)
    curve.control("features").select_option("bumps")
    at_once = curve.changes("prediction", straight)
    if own_rate:
        curve.control("own-rate").check()
        curve.control("rate").fill("-0.3")
        at_once = curve.changes("prediction", at_once)
        expect(curve.host.locator("code").last).to_contain_text('"learning_rate": 0.5012')
        at_once = curve.number("prediction")
    curve.control("none").click()
    expect(curve.part("prediction")).to_have_attribute("value", "0")
    values = [0.0]
    for step in range(1, 9):
        curve.control("more").click()
        expect(curve.part("steps")).to_have_attribute("value", str(step))
        values.append(curve.changes("prediction", values[-1]))
    assert values[-1] == pytest.approx(at_once, rel=1e-4)
    assert abs(values[1] - at_once) > 1e-3


def test_sliders_change_points_and_noise_and_every_task_is_drawn(curve: View) -> None:
    curve.number("prediction")
    curve.control("count").fill("23")
    expect(curve.points).to_have_count(23)
    label = curve.points.nth(20).get_attribute("aria-label")
    before = curve.number("prediction")
    curve.control("noise").fill("0.8")
    expect(curve.points.nth(20)).not_to_have_attribute("aria-label", label or "")
    before = curve.changes("prediction", before)
    tasks = curve.control("task").locator("option").evaluate_all("options => options.map(({value}) => value)")
    for task in tasks[1:]:
        curve.control("task").select_option(task)
        before = curve.changes("prediction", before)
    curve.control("draw").click()
    curve.changes("prediction", before)


def test_an_empty_plot_says_what_to_do(curve: View) -> None:
    curve.number("prediction")
    curve.control("clear").click()
    expect(curve.part("empty")).to_be_visible()
    expect(curve.part("prediction")).to_have_attribute("value", "")
    curve.control("add").click()
    expect(curve.points).to_have_count(1)
    expect(curve.points.first).to_be_focused()
    curve.number("prediction")


def test_a_placed_point_removes_the_function_of_the_others_and_an_answer_outside_the_frame_is_named(
    curve: View,
) -> None:
    before = curve.number("prediction")
    expect(curve.part("truth-key")).to_be_visible()
    task = curve.control("task").locator("option:checked")
    expect(task).to_have_text("A sine wave")
    curve.control("clear").click()
    expect(curve.part("truth-key")).to_be_hidden()
    expect(task).to_have_text("placed by hand")
    expect(curve.part("outside")).to_be_hidden()
    curve.control("model").select_option("gd-8")  # a line through 0
    curve.page.evaluate("scrollTo(0, 0)")
    curve.place(0.57, 0.3)
    expect(curve.part("outside")).to_be_visible()
    expect(curve.part("outside")).to_have_text(
        re.compile(r"The prediction at the diamond lies below the frame, at −\d")
    )
    curve.control("draw").click()
    expect(curve.part("truth-key")).to_be_visible()
    expect(task).to_have_text("A sine wave")
    expect(curve.control("task").locator("option", has_text="placed by hand")).to_have_count(0)
    curve.changes("prediction", before)
