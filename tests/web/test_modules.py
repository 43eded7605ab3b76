"""The JavaScript modules of the page, tested in the browser."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from gdssm.evaluation.suites import SUITES
from service.schemas.predictions import NoteAnswer
from tests.nonempty import nonempty
from tests.running import ROOT, Server

SOURCE = ROOT / "service/web/src"
CODES = get_args(NoteAnswer.model_fields["code"].annotation)


@pytest.fixture(scope="module")
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of the service that runs nothing by itself, and has the modules before they are bundled."""
    page = browser.new_page()
    page.route("**/source/**", lambda route: route.fulfill(path=SOURCE / route.request.url.partition("/source/")[2]))
    page.goto(f"{server.url}/web/icon.svg")
    yield page
    page.close()


def call(page: Page, module: str, code: str, argument: object = None) -> Any:  # noqa: ANN401  (JSON)
    """Run code with what a module exports as `m`, and an argument as `a`."""
    return page.evaluate(f"async (a) => {{ const m = await import('/source/{module}.js'); {code} }}", argument)


def test_the_same_seed_draws_the_same_task(page: Page) -> None:
    code = "return [1, 1, 2].map((seed) => JSON.stringify(m.drawCurve('network', seed, 9).points))"
    first, again, other = call(page, "tasks/curves", code)
    assert first == again != other


def test_random_numbers_have_their_mean_and_variance(page: Page) -> None:
    code = """const random = m.randomFrom(3);
              return Array.from({length: 5000}, () => [random.uniform(), random.normal()])"""
    uniform, normal = np.array(call(page, "tasks/random", code)).T
    assert uniform.mean() == pytest.approx(0.5, abs=0.02)
    assert uniform.std() == pytest.approx(12**-0.5, abs=0.02)
    assert (normal.mean(), normal.std()) == pytest.approx((0, 1), abs=0.05)


def test_every_note_of_the_service_is_a_sentence_and_an_unknown_one_is_named(page: Page) -> None:
    code = """const element = document.createElement("p");
              const about = { column: (j) => `“${"abcdefgh"[j]}”`, queries: (rows) => `Rows ${m.listed(rows)} are` };
              m.showNotes(element, a, about);
              return [element.textContent, element.hidden]"""
    notes = [{"code": code, "columns": [1], "queries": [0, 4]} for code in CODES]
    sentences = [call(page, "parts/notes", code, [note]) for note in notes]
    assert len({words for words, _ in sentences}) == len(CODES)
    for (words, hidden), name in zip(sentences, CODES, strict=True):
        assert re.fullmatch(r"[“A-Z].*\.", words)
        assert name not in words
        assert not hidden
    assert call(page, "parts/notes", code, [{"code": "new_code"}]) == ["Note of the service: new_code.", False]
    assert call(page, "parts/notes", code, []) == ["", True]
    many = {"code": "constant_columns", "columns": list(range(7))}
    expected = "“a”, “b”, “c”, “d”, “e” and others do not vary among the observations and are left out."
    assert call(page, "parts/notes", code, [many])[0] == expected


def test_numbers_have_four_digits_and_a_minus_sign(page: Page) -> None:
    values = [0, -1234.56, 12345.678, 0.00012345, -2e13, None]
    found = call(page, "parts/numbers", "return [...a.map(m.shown), m.tenths(-0.25), m.percent(0.123)]", values)
    assert found == ["0", "−1235", "12,350", "1.23e−4", "−2e13", "–", "−0.3", "12 %"]


def test_example_has_gaps_dates_text_and_rows_without_a_price(page: Page) -> None:
    rows = [*csv.DictReader(io.StringIO(call(page, "tasks/houses", "return m.houses()")))]
    assert sum(not row["price"] for row in rows) == 8
    assert 0 < sum(not row["built"] for row in rows) < 40
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", row["sold"]) for row in nonempty(rows))


def test_a_query_has_kinds_and_leaves_out_what_is_not_chosen(page: Page) -> None:
    options = {"target": "a & b", "kinds": {"zip:code": "category"}, "interval": 0.9}
    code = "return [m.queryOf({ ...a, model: undefined }), m.queryOf({})]"
    found = call(page, "ask/tables", code, options)
    assert found == ["target=a%20%26%20b&interval=0.9&kind=zip%3Acode%3Acategory", ""]


def test_only_the_running_and_the_newest_request_are_sent(page: Page) -> None:
    code = """const [asked, shown, release] = [[], [], []];
              const ask = m.newestWins(
                (question) => new Promise((done) => { asked.push(question); release.push(() => done(question)); }),
                (answer) => shown.push(answer), () => {});
              const settle = () => new Promise((done) => setTimeout(done));
              for (const question of [1, 2, 3, 4]) ask(question);
              release[0](); await settle();
              release[1](); await settle();
              return [asked, shown]"""
    assert call(page, "ask/newest", code) == [[1, 4], [1, 4]]


def test_slow_request_is_aborted_for_a_newer_one(page: Page) -> None:
    code = """return await new Promise((done) => {
                const failed = [];
                const ask = m.newestWins(
                  (question, signal) => question === "new" ? question : new Promise((_, refuse) =>
                    signal.addEventListener("abort", () => refuse(new DOMException("", "AbortError")))),
                  (answer) => done([answer, failed]), (error) => failed.push(String(error)));
                ask("slow"); ask("new"); })"""
    assert call(page, "ask/newest", code) == ["new", []]


def test_distributions_tasks_and_models_share_no_name(page: Page) -> None:
    models = call(page, "parts/models", "return Object.entries(m.WORDS).flatMap(([name, [words]]) => [name, words])")
    distributions = call(page, "parts/distributions", "return m.DISTRIBUTIONS")
    tasks = [
        words
        for module, name in (("tasks/curves", "CURVES"), ("tasks/classes", "SHAPES"))
        for words in call(page, module, f"return Object.values(m.{name}).map(({{ words }}) => words)")
    ]
    suites = {name for suite in SUITES.values() for name, _ in suite}
    shown = [distributions.get(name, name) for name in suites] + tasks
    assert len(set(shown)) == len(shown)
    assert not {name.lower() for name in shown} & {name.lower() for name in models}


LOSSES = [("a", "linear", 2.0), ("a", "ridge", 1.0), ("b", "linear", 3.0), ("b", "gd-1", 1.5), ("b", "ridge", 4.0)]
RESULT = """The best model is linear on 1 of 2 distributions, gd-1 on 1; a reference learner is better on 1.
On a, linear has a loss of 2, and the best reference learner, ridge, 1.""".replace("\n", " ")
ALONE = """The best model is linear on 1 of 1 distribution; a reference learner is better on none.
On a, linear has a loss of 2.""".replace("\n", " ")


@pytest.mark.parametrize(
    ("losses", "chosen", "expected"),
    [
        (LOSSES, "a", RESULT),
        (LOSSES[:1], "a", ALONE),
        (LOSSES[1:2], "a", ""),
        ([("a", "linear", None)], "a", ""),
        ([], "a", ""),
    ],
)
def test_result_of_an_evaluation_is_a_sentence(
    page: Page, losses: list[tuple[str, str, float | None]], chosen: str, expected: str
) -> None:
    scores = [
        {"distribution": distribution, "learner": learner, "loss": {"mean": loss}}
        for distribution, learner, loss in losses
    ]
    code = 'return m.resultOf(a.scores, new Set(["linear", "gd-1"]), a.chosen)'
    assert call(page, "parts/result_sentence", code, {"scores": scores, "chosen": chosen}) == expected
