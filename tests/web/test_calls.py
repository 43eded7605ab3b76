"""The calls that the page shows run without changes, with services that need a key and with others."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.access.keys import Keys
from service.store.database import Database
from tests.running import running
from tests.web.pages import View, copied, run_javascript, run_python, run_shell

Opened = Callable[[str], Page]


@pytest.fixture(scope="module")
def private(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, str]]:
    """Start a service that needs a key; returns a tab on it, and a key."""
    address = f"sqlite:///{tmp_path_factory.mktemp('private')}/gdssm.db"
    with running(GDSSM_AUTH="on", GDSSM_DATABASE_URL=address) as server:
        database = Database.open(address)
        key = Keys(database).create("visitor")
        database.close()
        with browser.new_context(base_url=server.url, permissions=["clipboard-read", "clipboard-write"]) as context:
            yield context.new_page(), key


@pytest.fixture
def opened_with_key(private: tuple[Page, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Open a view and enter the key where the page asks for it; calls have it in their environment."""
    page, key = private
    monkeypatch.setenv("GDSSM_API_KEY", key)

    def open_view(view: str) -> Page:
        page.goto(f"/#{view}")
        page.get_by_label("Key", exact=True).locator("visible=true").fill(key)
        page.keyboard.press("Enter")
        return page

    yield open_view
    page.evaluate("sessionStorage.clear()")
    page.goto("about:blank")


@pytest.fixture(params=["opened", "opened_with_key"])
def visited(request: pytest.FixtureRequest) -> Opened:
    found: Opened = request.getfixturevalue(request.param)
    return found


@pytest.mark.slow
def test_copied_calls_print_the_numbers_on_the_page(visited: Opened) -> None:
    curve = View(visited("curve"), "curve")
    value, lower, upper = (curve.number(part) for part in ("prediction", "lower", "upper"))
    printed = [json.loads(numbers) for numbers in re.findall(r"\[.*?\]", run_python(copied(curve, "python")))]
    assert printed == [[pytest.approx(number, rel=1e-5)] for number in (value, lower, upper)]
    assert numbers(run_javascript(copied(curve, "javascript"))) == pytest.approx([value, lower, upper], rel=1e-5)
    answer = json.loads(run_shell(copied(curve, "curl")))
    assert answer["prediction"] == pytest.approx([value], rel=1e-5)
    assert answer["interval"] == {"lower": [pytest.approx(lower)], "upper": [pytest.approx(upper)]}


@pytest.mark.slow
def test_copied_calls_take_the_displayed_gradient_steps(visited: Opened) -> None:
    curve = View(visited("curve"), "curve")
    curve.control("model").select_option("gd-1")
    curve.control("features").select_option("bumps")
    curve.control("more").click()
    expect(curve.host.locator("code").last).to_contain_text("range(2)")
    before = curve.number("prediction")
    curve.control("more").click()
    expect(curve.host.locator("code").last).to_contain_text("range(3)")
    value = curve.number("prediction")
    assert json.loads(run_python(copied(curve, "python"))) == pytest.approx([value], rel=1e-5)
    answer = json.loads(run_shell(copied(curve, "curl")))
    assert answer["prediction"] == pytest.approx([value - before], rel=1e-4)
    assert numbers(run_javascript(copied(curve, "javascript"))) == pytest.approx([value], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("features", ["plain", "bumps"])
def test_copied_calls_of_classes_print_probabilities(visited: Opened, features: str) -> None:
    classes = View(visited("classes"), "classes")
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
    assert json.loads(run_shell(copied(classes, "curl")))["prediction"][0] == pytest.approx(shown, rel=1e-4)


@pytest.mark.slow
def test_copied_calls_of_the_stream_print_its_prediction(visited: Opened) -> None:
    live = View(visited("live"), "live")
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
    answer = json.loads(run_shell(copied(live, "curl")).replace("}{", "}\n{").splitlines()[-1])
    assert answer["prediction"] == pytest.approx(shown[:1], rel=1e-6)


def numbers(printed: str) -> list[float]:
    """All numbers of a text."""
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", printed)]


@pytest.mark.slow
def test_copied_calls_send_the_file(visited: Opened, tmp_path: Path) -> None:
    table = View(visited("table"), "table")
    table.page.get_by_text("Try with an example").click()
    expect(table.part("predictions").locator("tbody tr")).to_have_count(8)
    with table.page.expect_download() as downloaded:
        table.part("save-example").click()
    downloaded.value.save_as(tmp_path / downloaded.value.suggested_filename)
    code = {language: copied(table, language) for language in ("python", "javascript", "curl", "command")}
    answer = json.loads(run_shell(code["curl"], tmp_path))
    assert answer["n_observations"] == 152
    shown = (
        table.part("predictions").locator("[data-of=predicted]").evaluate_all("each => each.map((one) => one.value)")
    )
    assert answer["prediction"] == [float(value) for value in shown]
    (tmp_path / "call.py").write_text(code["python"])
    (tmp_path / "call.mjs").write_text(code["javascript"])
    assert json.loads(run_shell("python call.py", tmp_path)) == answer["prediction"]
    if shutil.which("node"):
        assert json.loads(run_shell("node call.mjs", tmp_path)) == answer["prediction"]
    assert f"{answer['prediction'][0]:.4g}"[:4] in run_shell(code["command"], tmp_path)


@pytest.mark.slow
def test_copied_evaluations_take_the_key_from_the_environment(opened_with_key: Opened, tmp_path: Path) -> None:
    view = View(opened_with_key("evaluations"), "evaluations")
    view.host.get_by_text("Tables", exact=True).click()
    view.control("tasks").fill("2")
    for model in ("nonlinear", "gd-8", "gd-1"):
        view.host.get_by_label(model, exact=True).uncheck()
    results = json.loads(run_shell(copied(view, "curl"), tmp_path).splitlines()[-1])["results"]
    expected = [f"{score['distribution']} {score['learner']} {score['r2']['mean']!r}" for score in results]
    assert any(" linear " in line for line in expected)
    assert run_python(copied(view, "python")).splitlines() == expected
    printed = run_javascript(copied(view, "javascript")).splitlines()
    assert [line.split()[:2] for line in printed] == [line.split()[:2] for line in expected]
    assert [float(line.split()[2]) for line in printed] == [score["r2"]["mean"] for score in results]
    run_shell(copied(view, "command"), tmp_path)
    report = json.loads((tmp_path / "evaluation/evaluation.json").read_text())
    assert {score["learner"] for score in report["results"]} == {score["learner"] for score in results}
