import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.pages import View, sent

Opened = Callable[..., Page]


@pytest.fixture
def classes(opened: Opened) -> View:
    view = View(opened("classes"), "classes")
    expect(view.part("shares").locator("data")).to_have_count(2)
    return view


def shares(view: View) -> list[float]:
    values = view.part("shares").locator("data").evaluate_all("each => each.map(({value}) => Number(value))")
    return [float(value) for value in values]


def test_background_has_the_colour_of_the_predicted_class(classes: View) -> None:
    expect(classes.points).to_have_count(40)
    assert sum(shares(classes)) == pytest.approx(1, abs=1e-5)
    painted = classes.picture()
    classes.control("clear").click()
    expect(classes.part("empty")).to_be_visible()
    assert classes.picture() != painted


def test_a_click_places_a_point_of_the_chosen_class(classes: View) -> None:
    classes.host.get_by_text("B", exact=True).click()
    with classes.page.expect_request("**/v1/predict") as asked:
        classes.place(0.9, 0.1)
    expect(classes.points.nth(40)).to_have_class("point class-1")
    assert sent(asked.value)["context"]["y"][40] == [0, 1]
    expect(classes.control("task").locator("option:checked")).to_have_text("placed by hand")
    with classes.page.expect_request("**/v1/predict") as asked:
        classes.control("task").select_option("moons")
    assert len(sent(asked.value)["context"]["y"]) == 41
    expect(classes.points.nth(40)).not_to_have_attribute("aria-label", re.compile("x₁ 3"))


def test_there_are_up_to_four_classes(classes: View) -> None:
    classes.host.get_by_text("4", exact=True).click()
    expect(classes.part("shares").locator("data")).to_have_count(4)
    expect(classes.host.get_by_text("D", exact=True).first).to_be_visible()
    assert sum(shares(classes)) == pytest.approx(1, abs=1e-5)


def test_other_models_draw_another_background(classes: View) -> None:
    classes.control("features").select_option("bumps")
    first = classes.part("shares").locator("data").first
    for model in ("softmax-8", "softmax-1"):
        before, painted = first.get_attribute("value") or "", classes.picture()
        classes.control("model").select_option(model)
        expect(first).not_to_have_attribute("value", before)
        classes.wait_for_another_picture(painted)


def test_the_class_of_near_points_is_the_most_probable(classes: View) -> None:
    classes.control("task").select_option("blobs")
    classes.control("clear").click()
    classes.place(0.2, 0.5)
    classes.host.get_by_text("B", exact=True).click()
    classes.place(0.8, 0.5)
    probe = classes.host.locator(".probe")
    probe.focus()
    for _ in range(3):
        classes.page.keyboard.press("Shift+ArrowRight")
    expect(classes.part("query")).to_contain_text("x₁ = 2.4")
    expect(probe).to_have_attribute("aria-valuetext", re.compile(r"x₁ = 2\.4.*class B [5-9]\d\."))
