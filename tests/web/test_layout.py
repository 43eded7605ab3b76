"""The page on a phone, in the dark, and for those who do not see it."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

Opened = Callable[..., Page]


def test_nothing_sticks_out_on_a_phone(opened: Opened, tmp_path: Path) -> None:
    page = opened("table", viewport={"width": 320, "height": 640})
    page.get_by_text("Try with an example").click()
    for view in ("table", "classes", "curve"):
        page.get_by_role("link", name=view.capitalize()).click()
        expect(page.locator(f"#{view} .latency")).to_contain_text("Answered")
        page.screenshot(path=tmp_path / f"{view}-phone.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_page_follows_light_and_dark(opened: Opened, tmp_path: Path) -> None:
    page = opened("curve")
    expect(page.locator("#curve .latency")).to_contain_text("Answered")
    canvas = "document.querySelector('#curve canvas').toDataURL()"
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(f"[{canvas}, {ground}]")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=tmp_path / "dark.png")
    dark = page.evaluate(f"[{canvas}, {ground}]")
    assert dark[0] != light[0]
    assert dark[1] != light[1]


def test_every_control_has_a_name(opened: Opened) -> None:
    page = opened("curve")
    expect(page.locator("#curve .latency")).to_contain_text("Answered")
    unnamed = page.evaluate(
        """[...document.querySelectorAll("input, select, button, [role=button], [role=slider], [role=img]")]
           .filter((one) => one.closest("section:not([hidden])"))
           .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim())
           .map((one) => one.outerHTML)"""
    )
    assert unnamed == []


def test_the_result_is_told_to_a_screen_reader_once_it_has_come_to_rest(opened: Opened) -> None:
    page = opened("curve")
    expect(page.locator("#announcer")).to_contain_text("12 points. At x = −3.2 the prediction is")


def test_views_have_addresses(opened: Opened) -> None:
    page = opened("table")
    expect(page.get_by_role("link", name="Table")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Classes").click()
    expect(page.locator("#classes")).to_be_visible()
    expect(page.locator("#table")).to_be_hidden()
    page.go_back()
    expect(page.locator("#table")).to_be_visible()
