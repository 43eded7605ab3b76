"""axe finds nothing wrong in any view, theme and width, and every view can be used with the keyboard."""

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.node import WEB, packages
from tests.nonempty import nonempty
from tests.web.pages import View, only_with_key
from tests.web.test_evaluations import ended_with, score

Opened = Callable[..., Page]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
READY = {
    "live": "[data-part=prediction][value]:not([value=''])",
    "curve": "[data-part=prediction][value]:not([value=''])",
    "classes": "[data-part=shares] data",
    "table": "[data-part=assessed]:not([hidden])",
    "evaluations": ".calls code",
}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("view", READY)
def test_axe_finds_nothing(opened: Opened, view: str, width: int) -> None:
    axe = (packages(WEB) / "axe-core/axe.min.js").read_text()
    page = opened(view, size={"width": width, "height": 800})
    if view == "table":
        page.get_by_role("button", name="Try with an example").click()
    expect(page.locator(f"#{view} {READY[view]}").first).to_be_visible()
    page.evaluate(axe)
    for scheme in nonempty(SCHEMES):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page) == [], scheme


def findings(opened: Opened, size: ViewportSize) -> Page:
    """Open a finished evaluation, with the columns that compare with gradient descent."""
    routes = ended_with(score("linear"), score("gd-1", 2), score("ridge", 1e6), score("zero", 3))
    page = opened("evaluations", size=size, routes=routes)
    page.get_by_role("button", name="Compare with gradient descent").click()
    expect(page.locator("#evaluations [data-part=capped]")).to_be_visible()
    return page


def gradient_steps(opened: Opened, size: ViewportSize) -> Page:
    page = opened("curve", size=size)
    page.locator("#curve [name=model]").select_option("gd-1")
    expect(page.get_by_role("button", name="One gradient step more")).to_be_visible()
    page.locator("#curve summary").click()
    return page


def private(opened: Opened, size: ViewportSize) -> Page:
    """Open a service that asks for a key."""
    page = opened("curve", size=size, refusals=True, routes={"**/v1/**": only_with_key})
    expect(page.locator("#trouble").get_by_label("Key")).to_be_visible()
    return page


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("state", [findings, gradient_steps, private])
def test_axe_finds_nothing_in_other_states_of_a_view(
    opened: Opened, state: Callable[[Opened, ViewportSize], Page], width: int
) -> None:
    axe = (packages(WEB) / "axe-core/axe.min.js").read_text()
    page = state(opened, {"width": width, "height": 800})
    page.evaluate(axe)
    for scheme in nonempty(SCHEMES):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page) == [], scheme


def violations(page: Page) -> list[tuple[str, str, str]]:
    """The rule, the element and the reason of each."""
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [(one["id"], node["html"][:200], node["failureSummary"]) for one in found for node in one["nodes"]]


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError("Tab does not reach it")


def test_the_keyboard_reaches_views_and_skips_to_the_content(opened: Opened) -> None:
    page = opened("")
    View(page, "live").number("prediction")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    reach(page, page.get_by_role("link", name="Classes"))
    page.keyboard.press("Enter")
    expect(page.locator("#classes [data-part=shares] data")).to_have_count(2)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page.locator("#classes")).to_be_visible()


def test_a_row_is_forgotten_and_brought_back_with_the_keyboard(opened: Opened) -> None:
    live = View(opened("live"), "live")
    live.number("prediction")
    live.control("pause").focus()
    live.page.keyboard.press("Enter")
    expect(live.control("pause")).to_have_text("Continue")
    live.page.keyboard.press("Shift+Tab")
    expect(live.points.last).to_be_focused()
    live.page.keyboard.press("Enter")
    expect(live.points.last).to_have_attribute("aria-pressed", "true")
    expect(live.points.last).to_be_focused()
    expect(live.part("story")).to_contain_text("is forgotten")
    live.page.keyboard.press(" ")
    expect(live.points.last).to_have_attribute("aria-pressed", "false")


def test_a_point_of_a_class_is_placed_moved_and_removed_with_the_keyboard(opened: Opened) -> None:
    classes = View(opened("classes"), "classes")
    expect(classes.points).to_have_count(40)
    classes.host.get_by_role("radio", name="A", exact=True).focus()
    classes.page.keyboard.press("ArrowRight")
    reach(classes.page, classes.control("add"))
    classes.page.keyboard.press("Enter")
    expect(classes.points.nth(40)).to_be_focused()
    expect(classes.points.nth(40)).to_have_class("point class-1")
    classes.page.keyboard.press("ArrowRight")
    expect(classes.points.nth(40)).to_have_attribute("aria-label", re.compile(r"class B: x₁ 0\.\d"))
    classes.page.keyboard.press("Delete")
    expect(classes.points).to_have_count(40)


def test_a_table_is_predicted_with_the_keyboard(opened: Opened) -> None:
    page = opened("table")
    expect(page.locator("#table .drop")).to_be_visible()
    reach(page, page.get_by_role("button", name="Try with an example"))
    page.keyboard.press("Enter")
    expect(page.locator("#table [data-of=predicted]")).to_have_count(8)
    reach(page, page.locator("#table [data-part=predictions] tbody button").first)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#table [data-part=near-title]")).to_have_text(re.compile("most like row 154"))


def test_a_language_of_the_code_and_an_evaluation_are_chosen_with_the_keyboard(opened: Opened) -> None:
    page = opened("evaluations")
    code = page.locator("#evaluations .calls code")
    expect(code).to_contain_text('suite="practical"')
    page.get_by_role("radio", name="Practical").focus()
    page.keyboard.press("ArrowRight")
    expect(code).to_contain_text('suite="tables"')
    reach(page, page.locator("#evaluations").get_by_role("button", name="JavaScript"))
    page.keyboard.press("Enter")
    expect(code).to_contain_text("await fetch")
