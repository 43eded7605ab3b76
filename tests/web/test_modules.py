"""The JavaScript modules of the page, tested in the browser."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from service.errors import InvalidInput
from service.files.table import CsvTable
from service.schemas.predictions import NoteAnswer
from tests.running import Server

CODES = get_args(NoteAnswer.model_fields["code"].annotation)


@pytest.fixture(scope="module")
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of the service that runs nothing by itself."""
    page = browser.new_page()
    page.goto(f"{server.url}/web/icon.svg")
    yield page
    page.close()


def call(page: Page, module: str, code: str, argument: object = None) -> Any:  # noqa: ANN401  (JSON)
    """Run code with what a module exports as `m`, and an argument as `a`."""
    return page.evaluate(f"async (a) => {{ const m = await import('/web/{module}.js'); {code} }}", argument)


def test_cholesky_solves_and_refuses_what_is_not_determined(page: Page) -> None:
    rng = np.random.default_rng(2)
    root = rng.normal(size=(5, 7))
    A, b = root @ root.T, rng.normal(size=5)
    found = call(page, "table/least_squares", "return m.solve(a.A, a.b)", {"A": A.tolist(), "b": b.tolist()})
    assert found == pytest.approx(np.linalg.solve(A, b))
    twice = [[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]
    code = "return m.fit(a, [1, 2, 4], 0) === null && m.fit(a, [1, 2, 4], 1) !== null"
    assert call(page, "table/least_squares", code, twice)


def test_r2_is_none_where_y_does_not_vary(page: Page) -> None:
    assert call(page, "table/scores", "return m.r2([1, 2, 3], [1, 2, 4])") == pytest.approx(0.5)
    assert call(page, "table/scores", "return m.r2([2, 2], [1, 2])") is None


def test_csv_with_quotes_line_ends_and_blank_lines(page: Page) -> None:
    text = '\ufeff"a ""b""",c\r\n\r\n"1, one",2\r\n"3\n4", 5 \n'
    table = call(page, "table/csv", "return m.parseCsv(a)", text)
    assert table == {"header": ['a "b"', "c"], "rows": [["1, one", "2"], ["3\n4", "5"]]}


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


def test_csv_of_predictions_quotes_names(page: Page) -> None:
    pairs = [{"row": 3, "x": 1.5, "y": 2, "lower": -1, "upper": 5e-7}]
    text = call(
        page,
        "table/predictions_csv",
        "return m.predictionsCsv(a.target, a.pairs)",
        {"target": 'a "b", c', "pairs": pairs},
    )
    header, row = csv.reader(io.StringIO(text))
    assert header == ["row", *(f'a "b", c{suffix}' for suffix in ("_true", "", "_lower", "_upper"))]
    assert [float(cell) for cell in row] == [3, 1.5, 2, -1, 5e-7]


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


CELLS = ["3", "-3", "+3", ".5", "3.", "2e3", "2E-3", "1e400", "1_000", "0x10", "1,5", "nan", "NaN", "inf", "Infinity"]
CELLS += ["true", "True", "red", "\u0661", "\uff11", "1 2", "e5", ".", "-", "9007199254740993"]


@pytest.mark.parametrize("cell", CELLS)
def test_cell_is_read_as_in_files(page: Page, tmp_path: Path, cell: str) -> None:
    (tmp_path / "t.csv").write_text(f'a,b\n"{cell}",1\n', encoding="utf-8")
    code = "try { return m.columnsOf(a).numeric[0].values[0] } catch { return null }"
    rows = [[cell, "1"], ["2", "1"], ["3", "1"]]
    found = call(page, "table/columns", code, {"header": ["a", "b"], "rows": rows})
    with closing(CsvTable(tmp_path / "t.csv")) as table:
        if found is None:
            with pytest.raises(InvalidInput, match="is not a"):
                list(table.chunks([["a"]], 1))
        else:
            assert [cells.tolist() for (cells,) in table.chunks([["a"]], 1)] == [[[found]]]
