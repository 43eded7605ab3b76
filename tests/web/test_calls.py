"""The calls that the page shows run without changes."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.pages import View, copied, run, run_python

Opened = Callable[..., Page]


@pytest.mark.slow
def test_copied_calls_print_the_numbers_on_the_page(opened: Opened) -> None:
    curve = View(opened("curve"), "curve")
    value, lower, upper = (curve.number(part) for part in ("prediction", "lower", "upper"))
    printed = [json.loads(numbers) for numbers in re.findall(r"\[.*?\]", run_python(copied(curve, "python")))]
    assert printed == [[pytest.approx(number, rel=1e-5)] for number in (value, lower, upper)]
    answer = json.loads(run("bash", "-c", copied(curve, "curl")))
    assert answer["prediction"] == pytest.approx([value], rel=1e-5)
    assert answer["interval"] == {"lower": [pytest.approx(lower)], "upper": [pytest.approx(upper)]}


@pytest.mark.slow
def test_copied_python_takes_the_displayed_gradient_steps(opened: Opened) -> None:
    curve = View(opened("curve"), "curve")
    curve.control("model").select_option("gd-1")
    curve.control("features").select_option("bumps")
    curve.control("more").click()
    curve.control("more").click()
    expect(curve.host.locator("code").last).to_contain_text("range(3)")
    value = curve.number("prediction")
    assert json.loads(run_python(copied(curve, "python"))) == pytest.approx([value], rel=1e-5)


@pytest.mark.slow
def test_copied_call_of_classes_prints_probabilities(opened: Opened) -> None:
    classes = View(opened("classes"), "classes")
    expect(classes.part("shares").locator("data")).to_have_count(2)
    shown = classes.part("shares").locator("data").evaluate_all("each => each.map(({value}) => Number(value))")
    assert json.loads(run_python(copied(classes, "python")))[0] == pytest.approx(shown, rel=1e-4)


def test_copied_curl_sends_the_file(opened: Opened, tmp_path: Path) -> None:
    table = View(opened("table"), "table")
    table.page.get_by_text("Try with an example").click()
    expect(table.part("predictions").locator("tbody tr")).to_have_count(8)
    with table.page.expect_download() as downloaded:
        table.part("save-example").click()
    downloaded.value.save_as(tmp_path / downloaded.value.suggested_filename)
    answer = json.loads(run("bash", "-c", f"cd {tmp_path}; {copied(table, 'curl')}"))
    assert answer["n_observations"] == 152
    shown = (
        table.part("predictions").locator("[data-of=predicted]").evaluate_all("each => each.map((one) => one.value)")
    )
    assert answer["prediction"] == [float(value) for value in shown]
