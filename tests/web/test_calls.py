"""The calls that the page shows are run as they are copied."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.pages import View

Opened = Callable[..., Page]


def copied(view: View, language: str) -> str:
    view.host.locator(f"[data-language={language}]").click()
    view.part("copy").click()
    expect(view.part("copy")).to_have_text("Copied")
    text: str = view.page.evaluate("navigator.clipboard.readText()")
    return text


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.fixture
def open_with_clipboard(opened: Opened) -> Callable[[str], View]:
    return lambda name: View(opened(name, permissions=["clipboard-read", "clipboard-write"]), name)


def test_the_copied_calls_give_the_number_on_the_page(open_with_clipboard: Callable[[str], View]) -> None:
    curve = open_with_clipboard("curve")
    value = curve.number("prediction")
    assert json.loads(run(sys.executable, "-c", copied(curve, "python"))) == pytest.approx([value], rel=1e-5)
    answer = json.loads(run("bash", "-c", copied(curve, "curl")))
    assert answer["prediction"] == pytest.approx([value], rel=1e-5)


def test_the_copied_python_takes_the_gradient_steps_that_are_shown(open_with_clipboard: Callable[[str], View]) -> None:
    curve = open_with_clipboard("curve")
    curve.control("model").select_option("gd-1")
    curve.control("features").select_option("bumps")
    curve.control("more").click()
    curve.control("more").click()
    expect(curve.host.locator("code").last).to_contain_text("range(3)")
    value = curve.number("prediction")
    assert json.loads(run(sys.executable, "-c", copied(curve, "python"))) == pytest.approx([value], rel=1e-5)


def test_the_copied_call_of_classes_gives_their_probabilities(open_with_clipboard: Callable[[str], View]) -> None:
    classes = open_with_clipboard("classes")
    expect(classes.part("shares").locator("data")).to_have_count(2)
    shown = classes.part("shares").locator("data").evaluate_all("each => each.map(({value}) => Number(value))")
    assert json.loads(run(sys.executable, "-c", copied(classes, "python")))[0] == pytest.approx(shown, rel=1e-4)


def test_the_copied_curl_of_a_table_sends_all_of_it(open_with_clipboard: Callable[[str], View]) -> None:
    table = open_with_clipboard("table")
    table.page.get_by_text("Try with an example").click()
    table.number("r2-model")
    answer = json.loads(run("bash", "-c", copied(table, "curl")))
    assert answer["n_observations"] == 105
    assert len(answer["prediction"]) == 45
