"""axe finds nothing wrong in any view, theme and width, and every view can be used with the keyboard."""

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.node import WEB, packages
from tests.nonempty import nonempty
from tests.web.pages import View

Opened = Callable[..., Page]
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
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in nonempty(schemes):
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


def test_a_table_is_predicted_and_a_class_placed_with_the_keyboard(opened: Opened) -> None:
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
