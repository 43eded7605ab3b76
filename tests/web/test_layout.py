"""The page on a phone, in dark mode, and for screen readers."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.pages import box_of

Opened = Callable[..., Page]


def test_nothing_overflows_on_a_phone(opened: Opened, tmp_path: Path) -> None:
    page = opened("table", size={"width": 320, "height": 640})
    page.get_by_text("Try with an example").click()
    for view in ("table", "classes", "curve", "evaluations", "live"):
        page.get_by_role("link", name=view.capitalize(), exact=True).click()
        expect(page.locator(f"#{view} .calls code")).to_contain_text("install")
        page.screenshot(path=tmp_path / f"{view}-phone.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert unnamed(page) == []


def test_results_come_before_settings_on_a_phone(opened: Opened) -> None:
    page = opened("table", size={"width": 390, "height": 720})
    page.get_by_text("Try with an example").click()
    expect(page.locator("#table [data-part=results]")).to_be_visible()
    tops = [box_of(page.locator(f"#table {part}"))["y"] for part in (".drop", "[data-part=results]", ".controls")]
    assert tops == sorted(tops)


def test_every_view_shows_a_prediction_within_three_clicks(opened: Opened) -> None:
    page = opened("")
    expect(page.locator("#live [data-part=prediction]")).to_have_attribute("value", re.compile(r"\d"))
    page.get_by_role("link", name="Curve").click()
    expect(page.locator("#curve [data-part=prediction]")).to_have_attribute("value", re.compile(r"\d"))
    page.get_by_role("link", name="Classes").click()
    expect(page.locator("#classes [data-part=shares] data")).to_have_count(2)
    page.get_by_role("link", name="Table").click()
    page.get_by_role("button", name="Try with an example").click()
    expect(page.locator("#table [data-of=predicted]").first).to_have_attribute("value", re.compile(r"\d"))


def test_page_follows_the_colour_scheme_names_its_controls_and_announces_results(
    opened: Opened, tmp_path: Path
) -> None:
    page = opened("curve")
    expect(page.locator("#announcer")).to_contain_text("12 points. At x = −3.2 the prediction is")
    assert unnamed(page) == []
    canvas = "document.querySelector('#curve canvas').toDataURL()"
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(f"[{canvas}, {ground}]")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=tmp_path / "dark.png")
    dark = page.evaluate(f"[{canvas}, {ground}]")
    assert dark[0] != light[0]
    assert dark[1] != light[1]


def unnamed(page: Page) -> list[str]:
    """The controls without a name in the view that is shown."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("input, select, button, [role=button], [role=slider], [role=img]")]
           .filter((one) => one.closest("section:not([hidden])"))
           .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim())
           .map((one) => one.outerHTML)"""
    )
    return found


def test_views_have_addresses(opened: Opened) -> None:
    page = opened("table")
    expect(page.get_by_role("link", name="Table")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Classes").click()
    expect(page.locator("#classes")).to_be_visible()
    expect(page.locator("#table")).to_be_hidden()
    page.go_back()
    expect(page.locator("#table")).to_be_visible()
