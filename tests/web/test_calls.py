"""The calls that the page shows run without changes."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.pages import View, copied, only_with_key, run, run_javascript, run_python

Opened = Callable[..., Page]


@pytest.mark.slow
def test_copied_calls_print_the_numbers_on_the_page(opened: Opened) -> None:
    curve = View(opened("curve"), "curve")
    value, lower, upper = (curve.number(part) for part in ("prediction", "lower", "upper"))
    printed = [json.loads(numbers) for numbers in re.findall(r"\[.*?\]", run_python(copied(curve, "python")))]
    assert printed == [[pytest.approx(number, rel=1e-5)] for number in (value, lower, upper)]
    assert numbers(run_javascript(copied(curve, "javascript"))) == pytest.approx([value, lower, upper], rel=1e-5)
    answer = json.loads(run("bash", "-c", copied(curve, "curl")))
    assert answer["prediction"] == pytest.approx([value], rel=1e-5)
    assert answer["interval"] == {"lower": [pytest.approx(lower)], "upper": [pytest.approx(upper)]}


@pytest.mark.slow
def test_copied_calls_take_the_displayed_gradient_steps(opened: Opened) -> None:
    curve = View(opened("curve"), "curve")
    curve.control("model").select_option("gd-1")
    curve.control("features").select_option("bumps")
    curve.control("more").click()
    expect(curve.host.locator("code").last).to_contain_text("range(2)")
    before = curve.number("prediction")
    curve.control("more").click()
    expect(curve.host.locator("code").last).to_contain_text("range(3)")
    value = curve.number("prediction")
    assert json.loads(run_python(copied(curve, "python"))) == pytest.approx([value], rel=1e-5)
    answer = json.loads(run("bash", "-c", copied(curve, "curl")))
    assert answer["prediction"] == pytest.approx([value - before], rel=1e-4)
    assert numbers(run_javascript(copied(curve, "javascript"))) == pytest.approx([value], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("features", ["plain", "bumps"])
def test_copied_calls_of_classes_print_probabilities(opened: Opened, features: str) -> None:
    classes = View(opened("classes"), "classes")
    first = classes.part("shares").locator("data").first
    expect(classes.part("shares").locator("data")).to_have_count(2)
    if features != "plain":
        before = first.get_attribute("value") or ""
        classes.control("features").select_option(features)
        expect(first).not_to_have_attribute("value", before)
    expect(classes.host.locator("code").last).to_contain_text("def features(a, b)" if features == "bumps" else "x = [")
    shown = classes.part("shares").locator("data").evaluate_all("each => each.map(({value}) => Number(value))")
    assert json.loads(run_python(copied(classes, "python")))[0] == pytest.approx(shown, rel=1e-4)
    assert json.loads(run_javascript(copied(classes, "javascript")))[0] == pytest.approx(shown, rel=1e-4)
    assert json.loads(run("bash", "-c", copied(classes, "curl")))["prediction"][0] == pytest.approx(shown, rel=1e-4)


@pytest.mark.slow
def test_copied_calls_of_the_stream_print_its_prediction(opened: Opened) -> None:
    live = View(opened("live"), "live")
    live.number("prediction")
    live.control("pause").click()
    expect(live.control("pause")).to_have_text("Continue")
    rows = live.number("count")
    shown = [live.number(part) for part in ("prediction", "lower", "upper")]
    assert rows < 15  # the mistake is in no call
    for language, run_it in (("python", run_python), ("javascript", run_javascript)):
        code = copied(live, language)
        assert "install" in code.splitlines()[0]
        assert numbers(run_it(code)) == pytest.approx(shown, rel=1e-6)
    answer = json.loads(run("bash", "-c", copied(live, "curl")).replace("}{", "}\n{").splitlines()[-1])
    assert answer["prediction"] == pytest.approx(shown[:1], rel=1e-6)


@pytest.mark.slow
def test_copied_calls_take_the_key_from_the_environment(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened("curve", refusals=True, routes={"**/v1/**": only_with_key})
    page.locator("#trouble").get_by_label("Key").fill("secret")
    page.keyboard.press("Enter")
    curve = View(page, "curve")
    value = curve.number("prediction")
    monkeypatch.setenv("GDSSM_API_KEY", "secret")
    for language, run_it in (("python", run_python), ("javascript", run_javascript)):
        code = copied(curve, language)
        assert "GDSSM_API_KEY" in code
        assert numbers(run_it(code))[0] == pytest.approx(value, rel=1e-5)
    code = copied(curve, "curl")
    assert "$GDSSM_API_KEY" in code
    assert json.loads(run("bash", "-c", code))["prediction"] == pytest.approx([value], rel=1e-5)


def numbers(printed: str) -> list[float]:
    """All numbers of a text."""
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", printed)]


@pytest.mark.slow
def test_copied_calls_send_the_file(opened: Opened, tmp_path: Path) -> None:
    table = View(opened("table"), "table")
    table.page.get_by_text("Try with an example").click()
    expect(table.part("predictions").locator("tbody tr")).to_have_count(8)
    with table.page.expect_download() as downloaded:
        table.part("save-example").click()
    downloaded.value.save_as(tmp_path / downloaded.value.suggested_filename)
    code = {language: copied(table, language) for language in ("python", "javascript", "curl", "command")}
    answer = json.loads(run("bash", "-c", f"cd {tmp_path}\n{code['curl']}"))
    assert answer["n_observations"] == 152
    shown = (
        table.part("predictions").locator("[data-of=predicted]").evaluate_all("each => each.map((one) => one.value)")
    )
    assert answer["prediction"] == [float(value) for value in shown]
    (tmp_path / "call.py").write_text(code["python"])
    (tmp_path / "call.mjs").write_text(code["javascript"])
    assert json.loads(run("bash", "-c", f"cd {tmp_path}; {sys.executable} call.py")) == answer["prediction"]
    if shutil.which("node"):
        assert json.loads(run("bash", "-c", f"cd {tmp_path}; node call.mjs")) == answer["prediction"]
    command = code["command"].partition("\ngdssm ")[2]
    printed = run("bash", "-c", f"cd {tmp_path}; {sys.executable} -m service {command}")
    assert f"{answer['prediction'][0]:.4g}"[:4] in printed
