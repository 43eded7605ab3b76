"""The first view: a context learns a stream, a mistake is taken out of it, and rows are forgotten."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.nonempty import nonempty
from tests.web.pages import View, sent

Opened = Callable[..., Page]


@pytest.fixture
def live(opened: Opened) -> View:
    view = View(opened(""), "live")
    view.number("prediction")
    return view


def test_the_page_begins_with_one_sentence_and_a_context_that_learns(live: View) -> None:
    expect(live.page.locator(".purpose")).to_have_text(re.compile("^gdssm predicts from examples, [^.]*\\.$"))
    with live.page.expect_request("**/observations") as asked:
        pass
    assert sent(asked.value)["weight"] == [1]
    count = live.number("count")
    assert live.changes("count", count) > count


def test_a_mistake_widens_the_band_and_leaves_no_trace_when_it_is_taken_out(live: View) -> None:
    act = live.part("act")
    expect(act).to_have_text("Take it out")
    expect(act).to_be_visible()
    expect(live.part("story")).to_contain_text(re.compile(r"lost its decimal point: [\d.]+ °C in place of [\d.]+"))
    wide, rows = live.number("width"), live.number("count")
    expect(live.host.locator(".mistake.point")).to_have_count(1)
    with live.page.expect_request("**/observations") as asked:
        act.click()
    assert sent(asked.value)["weight"] == [-1]
    assert live.changes("width", wide) < wide / 2
    expect(live.host.locator(".mistake.forgotten.point")).to_have_count(1)
    words = live.part("story").inner_text()
    difference = re.search(r"largest difference is ([\d.]+)(?:e−(\d+))? °C", words)
    assert difference is not None, words
    assert float(difference[1]) * 10 ** -int(difference[2] or 0) < 1e-9
    expect(act).to_be_hidden()
    live.changes("count", rows - 1)  # the stream goes on by itself


def test_a_click_forgets_a_reading_or_adds_one(live: View) -> None:
    live.control("pause").click()
    expect(live.control("pause")).to_have_text("Continue")
    before = live.number("prediction")
    live.points.nth(2).click()
    expect(live.points.nth(2)).to_have_class("point reading forgotten")
    forgotten = live.changes("prediction", before)
    live.points.nth(2).click()
    expect(live.points.nth(2)).to_have_class("point reading")
    live.changes("prediction", forgotten)
    count = live.number("count")
    live.place(0.5, 0.1)
    live.changes("count", count)
    live.control("again").click()
    expect(live.part("story")).to_contain_text("Rows are learnt as they come")


def test_a_visitor_who_wants_less_motion_starts_the_stream(opened: Opened) -> None:
    page = opened("curve")
    page.emulate_media(reduced_motion="reduce")
    page.goto("about:blank")
    live = View(opened("live"), "live")
    live.number("prediction")
    expect(live.control("pause")).to_have_text("Continue")
    with page.expect_request("**/observations"):
        live.control("pause").click()


def test_a_band_outside_the_frame_is_named(live: View) -> None:
    live.control("pause").click()
    expect(live.part("outside")).to_be_hidden()
    live.place(0.55, 0.06)
    expect(live.part("outside")).to_be_visible()
    expect(live.part("outside")).to_have_text("Parts of the band lie outside the frame.")
    live.points.last.press("Delete")
    expect(live.part("outside")).to_be_hidden()


def test_an_expired_context_is_reported_and_starts_again(opened: Opened) -> None:
    live = View(opened("live", refusals=True), "live")
    live.number("prediction")
    live.control("pause").click()
    gone = {"error": "There is no context 'a'.", "error_type": "unknown_context", "detail": None}
    live.page.route("**/observations", lambda route: route.fulfill(status=404, json=gone))
    live.points.nth(2).click()
    expect(live.part("problem")).to_have_text("There is no context 'a'.")
    expect(live.points.nth(2)).to_have_class("point reading")
    live.page.unroute("**/observations")
    live.control("again").click()
    expect(live.part("problem")).to_be_hidden()


MOUSE_WORDS = re.compile(r"\b(click|drop|tab|hover|mouse|delete)\b", re.IGNORECASE)


def test_words_fit_a_touch_screen(opened: Opened) -> None:
    page = opened("live")
    expect(page.locator("#live .hint .for-mouse")).to_be_visible()
    expect(page.locator("#live .hint .for-touch")).to_be_hidden()
    assert page.context.browser is not None
    with page.context.browser.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800}
    ) as phone:
        touched = phone.new_page()
        touched.goto(page.url)
        expect(touched.locator("#live .hint")).to_have_text(re.compile("Tap a reading"))
        expect(touched.locator("#live .hint .for-mouse")).to_be_hidden()
        point = touched.locator("#live .point").nth(2)
        point.tap()
        expect(point).to_have_class("point reading forgotten")
        for view in ("Curve", "Classes", "Table", "Evaluations", "Live"):
            touched.get_by_role("link", name=view, exact=True).tap()
            shown = touched.locator(f"#{view.lower()}")
            expect(shown).not_to_have_attribute("aria-busy", "true")
            words = shown.locator(".stage, .controls").all_inner_texts()
            assert [MOUSE_WORDS.findall(text) for text in nonempty(words) if MOUSE_WORDS.search(text)] == [], view
