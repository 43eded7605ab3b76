"""The table view: any file in, the rows without a target predicted, and how good that is."""

import csv
import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.nonempty import nonempty
from tests.running import Server
from tests.tables.workbooks import xlsx
from tests.web.pages import View, upload

Opened = Callable[..., Page]
ROWS, WANTED = 48, 5
TOWNS = {"Bern": 3.0, "Zürich": 5.0, "Chur": 2.0}
SLOW_MS = 120_000
"""A random forest on a busy machine."""


@pytest.fixture
def table(opened: Opened) -> View:
    return View(opened("table", refusals=True), "table")


def flats(wanted: int = WANTED) -> list[dict[str, Any]]:
    """Rows with text, dates and gaps; the last ones have no price."""
    draw = random.Random(4)  # noqa: S311  (data for a test)
    rows = []
    for i in range(ROWS):
        size, town, garden = draw.uniform(30, 150), draw.choice([*TOWNS]), draw.random() < 0.5
        price = 40 + TOWNS[town] * size + 60 * garden + draw.gauss(0, 12)
        rows.append(
            {
                "Nr": 1000 + i,
                "Fläche": None if draw.random() < 0.15 else round(size, 1),
                "Ort": None if draw.random() < 0.1 else town,
                "Verkauft": f"{draw.randint(1, 28):02}.{draw.randint(1, 12):02}.{draw.randint(2015, 2023)}",
                "Garten": "ja" if garden else "nein",
                "Preis": None if i >= ROWS - wanted else round(price, 2),
            }
        )
    return rows


def german(rows: list[dict[str, Any]]) -> bytes:
    """Semicolons, decimal commas, day before month, UTF-16 and CRLF."""
    lines = [";".join(rows[0]), *(";".join(map(cell_of, row.values())) for row in rows)]
    return "\r\n".join(lines).encode("utf-16")


def cell_of(value: object) -> str:
    """A cell as German software writes it."""
    if value is None:
        return ""
    return str(value).replace(".", ",") if isinstance(value, float) else str(value)


def post(server: Server, route: str, content: bytes, **query: object) -> dict[str, Any]:
    found: dict[str, Any] = httpx.post(
        f"{server.url}/v1/{route}",
        params={name: str(value) for name, value in query.items()},
        content=content,
        headers={"Content-Type": "text/csv"},
        timeout=120,
    ).json()
    return found


def column(table: View, name: str) -> Locator:
    """The select of a column's kind."""
    return table.part("columns").get_by_label(name, exact=True)


def assessed(table: View) -> str:
    """The sentence on how good the predictions are, once it is there."""
    expect(table.part("assessed")).to_be_visible(timeout=SLOW_MS)
    return table.part("sentence").inner_text()


def numbers(table: View, name: str, part: str = "predictions") -> list[float]:
    found = table.part(part).locator(f"[data-of={name}]").evaluate_all("each => each.map((one) => one.value)")
    return [float(value) for value in found]


def saved(table: View, path: Path) -> tuple[str, list[dict[str, str]]]:
    """The downloaded file: its name and its rows."""
    with table.page.expect_download() as downloaded:
        table.part("download").click()
    downloaded.value.save_as(path)
    return downloaded.value.suggested_filename, [*csv.DictReader(io.StringIO(path.read_text("utf-8")))]


@pytest.mark.slow
def test_an_analyst_drops_a_file_reads_the_sentence_changes_a_kind_and_downloads(
    table: View, server: Server, tmp_path: Path
) -> None:
    rows, content = flats(), german(flats())
    (tmp_path / "flats.csv").write_bytes(content)
    upload(table, tmp_path / "flats.csv")

    expect(table.part("file")).to_have_text("flats.csv: 48 rows, 6 columns; Preis is known in 43 and predicted in 5.")
    answer = post(server, "predict", content, target="Preis", interval=0.9)
    expect(table.part("predictions").locator("tbody tr")).to_have_count(WANTED)
    assert numbers(table, "predicted") == answer["prediction"]
    assert numbers(table, "lower") == answer["interval"]["lower"]
    assert numbers(table, "upper") == answer["interval"]["upper"]
    assert answer["rows"] == [*range(43, 48)]

    found = post(server, "assess", content, target="Preis")
    assert assessed(table) == found["sentence"]
    assert re.search(r"% (better|worse) than|As good as|No better", found["sentence"])
    methods = table.part("methods").get_by_role("rowheader")
    expect(methods).to_have_text(["nonlinear", "mean", "ridge regression", "random forest"])
    assert numbers(table, "mae", "methods") == [score["mae"] for score in found["scores"]]
    expect(table.page.locator("#announcer")).to_have_text(found["sentence"])

    expect(column(table, "Nr")).to_have_value("left_out")
    expect(column(table, "Fläche")).to_have_value("number")
    expect(column(table, "Verkauft")).to_have_value("time")
    expect(column(table, "Garten")).to_have_value("yes_no")
    gaps = sum(row["Fläche"] is None for row in rows)
    expect(table.part("columns").locator("li").nth(1)).to_contain_text(f"{gaps} empty. Such as")
    expect(table.part("columns").locator("li").nth(2)).to_contain_text("category of 3 levels")

    before = numbers(table, "predicted")
    column(table, "Ort").select_option("left_out")
    expect(table.part("columns").locator("li").nth(2)).to_contain_text("left out")
    expect(table.part("predictions").locator("[data-of=predicted]").first).not_to_have_attribute(
        "value", repr(before[0])
    )
    again = post(server, "predict", content, target="Preis", interval=0.9, kind="Ort:left_out")
    assert numbers(table, "predicted") == again["prediction"]

    name, lines = saved(table, tmp_path / "saved.csv")
    assert name == "flats-predicted.csv"
    assert [*lines[0]] == ["Nr", "Fläche", "Ort", "Verkauft", "Garten", "Preis", "Preis_lower", "Preis_upper"]
    assert [float(line["Preis"]) for line in lines] == again["prediction"]
    assert [float(line["Preis_upper"]) for line in lines] == again["interval"]["upper"]
    for line, row in nonempty(zip(lines, rows[-WANTED:], strict=True)):
        assert line["Nr"] == str(row["Nr"])
        assert line["Verkauft"] == row["Verkauft"]
        assert line["Fläche"] == cell_of(row["Fläche"])


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def arrow(rows: list[dict[str, Any]]) -> bytes:
    sink, made = io.BytesIO(), pa.Table.from_pylist(rows)
    with pa.ipc.new_file(sink, made.schema) as writer:
        writer.write_table(made)
    return sink.getvalue()


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def workbook(rows: list[dict[str, Any]]) -> bytes:
    return xlsx({"flats": [[*rows[0]], *([*row.values()] for row in rows)]})


FORMATS = {"flats.parquet": parquet, "flats.arrow": arrow, "flats.jsonl": json_lines, "flats.xlsx": workbook}


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats_give_the_predictions_of_the_text(table: View, server: Server, tmp_path: Path, name: str) -> None:
    expected = post(server, "predict", german(flats()), target="Preis", interval=0.9)["prediction"]
    (tmp_path / name).write_bytes(FORMATS[name](flats()))
    upload(table, tmp_path / name)
    expect(table.part("predictions").locator("tbody tr")).to_have_count(WANTED)
    assert numbers(table, "predicted") == pytest.approx(expected, rel=1e-6)


def test_the_rows_most_like_a_prediction_are_shown_for_the_row_that_is_clicked_or_focused(
    table: View, server: Server, tmp_path: Path
) -> None:
    content = german(flats())
    (tmp_path / "flats.csv").write_bytes(content)
    upload(table, tmp_path / "flats.csv")
    nearest = post(server, "predict", content, target="Preis", nearest=3)["nearest"]
    heads = table.part("near-table").get_by_role("rowheader")

    def of(i: int) -> list[str]:
        return [str(ROWS - WANTED + i + 1), *(str(row + 1) for row in nearest[i])]

    expect(table.part("near-title")).to_have_text("Known rows most like row 44")
    expect(heads).to_have_text(of(0))
    listed = table.part("predictions").locator("tbody tr")
    announcer = table.page.locator("#announcer")
    expect(announcer).to_contain_text("Half of the predictions")  # the last announcement of an upload
    listed.nth(3).click()
    expect(listed.nth(3)).to_have_class(re.compile("chosen"))
    expect(heads).to_have_text(of(3))
    listed.nth(3).get_by_role("button").focus()
    table.page.keyboard.press("ArrowUp")
    expect(heads).to_have_text(of(2))
    expect(listed.nth(2).get_by_role("button")).to_be_focused()
    expect(listed.nth(2).get_by_role("button")).to_have_attribute("aria-pressed", "true")
    known = flats()[nearest[2][0]]["Preis"]
    line = table.part("near-table").locator("tbody tr").nth(1)
    expect(line.locator("td").first).to_have_text(cell_of(known))
    expect(announcer).to_contain_text("Row 46: ")


def test_classes_have_names_and_probabilities(table: View, server: Server, tmp_path: Path) -> None:
    lines = ["a,b,kind", *(f"{i % 7},{i % 5},{'even' if i % 2 else 'odd'}" for i in range(40)), "1,1,", "2,2,"]
    content = "\n".join(lines).encode()
    (tmp_path / "kinds.csv").write_bytes(content)
    upload(table, tmp_path / "kinds.csv")
    answer = post(server, "predict", content, target="kind")
    expect(table.part("predictions").locator("td.predicted")).to_have_text(answer["prediction"])
    assert numbers(table, "probability") == [max(row) for row in answer["probabilities"]]
    expect(column(table, "kind")).to_have_value("category")
    assert assessed(table) == post(server, "assess", content, target="kind")["sentence"]
    expect(table.part("explained")).to_be_hidden()
    _, saved_rows = saved(table, tmp_path / "saved.csv")
    assert [*saved_rows[0]] == ["a", "b", "kind", "kind=even", "kind=odd"]
    assert [float(row["kind=odd"]) for row in saved_rows] == [odd for _, odd in answer["probabilities"]]


def test_saved_predictions_quote_names_and_cells(table: View, tmp_path: Path) -> None:
    lines = ['"a ""b"", c",own,gap', *(f'{i},"x ""{i}"", z",{2 * i}' for i in range(20)), '3,"x ""y"", z",']
    (tmp_path / "quoted.csv").write_text("\n".join(lines))
    upload(table, tmp_path / "quoted.csv")
    expect(table.part("predictions").locator("tbody tr")).to_have_count(1)
    _, [row] = saved(table, tmp_path / "saved.csv")
    assert [*row] == ['a "b", c', "own", "gap", "gap_lower", "gap_upper"]
    assert (row['a "b", c'], row["own"]) == ("3", 'x "y", z')
    assert float(row["gap_lower"]) < float(row["gap"]) < float(row["gap_upper"])


def test_a_table_without_gaps_in_the_target_is_assessed_and_explained(
    table: View, server: Server, tmp_path: Path
) -> None:
    content = german(flats(wanted=0))
    (tmp_path / "flats.csv").write_bytes(content)
    upload(table, tmp_path / "flats.csv")
    expect(table.part("complete")).to_contain_text("Every row has a Preis. Leave Preis empty in the rows")
    expect(table.part("predicted")).to_be_hidden()
    found = post(server, "assess", content, target="Preis", explain="effects", interval=0.9)
    assessed(table)
    effects = sorted(found["effects"], key=lambda effect: -effect["strength"])
    plots = table.part("effects").locator("figure:visible")
    expect(plots.first.locator("figcaption")).to_have_text(effects[0]["column"])
    expect(plots).to_have_count(len(effects))
    drawn = plots.nth([effect["column"] for effect in effects].index("Fläche")).locator("canvas")
    size = next(effect for effect in effects if effect["column"] == "Fläche")
    points = drawn.evaluate(
        "canvas => Chart.getChart(canvas).data.datasets.map(({ data }) => data.map(({ x, y }) => [x, y]))"
    )
    assert points == [
        [list(point) for point in zip(size["values"], size[name], strict=True)] for name in ("effect", "upper", "lower")
    ]
    bars = table.part("agreement").locator("canvas")
    inside = sum(
        low <= y <= high
        for y, low, high in zip(*(found["held_out"][name] for name in ("target", "lower", "upper")), strict=True)
    )
    expect(bars).to_have_attribute("aria-label", re.compile(f"{ROWS} rows, .*; {inside} true values are inside"))


def test_the_target_and_the_model_are_chosen(table: View) -> None:
    table.page.get_by_text("Try with an example").click()
    expect(table.part("file")).to_have_text(
        "Example, made-up houses: 160 rows, 8 columns; price is known in 152 and predicted in 8."
    )
    before = numbers(table, "predicted")
    table.control("model").select_option("linear")
    expect(table.part("predictions").locator("[data-of=predicted]").first).not_to_have_attribute(
        "value", repr(before[0])
    )
    table.control("target").select_option("built")
    expect(table.part("predictions-title")).to_have_text(re.compile(r"Predicted built of \d+ rows"))
    expect(column(table, "price")).to_have_value("number")
    table.control("target").select_option("garden")
    expect(table.part("complete")).to_contain_text("Every row has a garden.")
    expect(table.control("model")).to_have_value("classifier")


REFUSED = {
    "words.csv": (b"just some words", "words.csv: "),
    "empty.csv": (b"", "empty"),
    "paper.csv": (b"%PDF-1.4\n%abc", "paper.csv: is a PDF document"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_file_leaves_nothing_of_the_one_before(table: View, tmp_path: Path, name: str) -> None:
    table.page.get_by_text("Try with an example").click()
    expect(table.part("predictions").locator("tbody tr")).to_have_count(8)
    content, message = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    upload(table, tmp_path / name)
    expect(table.part("problem")).to_contain_text(message)
    for part in ("results", "setup", "save-example"):
        expect(table.part(part)).to_be_hidden()
    expect(table.part("file")).to_be_hidden()
    expect(table.host.locator(".calls")).to_be_hidden()
    table.page.get_by_text("Try with an example").click()
    expect(table.part("predictions").locator("tbody tr")).to_have_count(8)
    expect(table.part("problem")).to_be_hidden()


def test_a_kind_that_a_column_does_not_have_is_refused_by_its_name_and_can_be_taken_back(table: View) -> None:
    table.page.get_by_text("Try with an example").click()
    expect(table.part("predictions").locator("tbody tr")).to_have_count(8)
    column(table, "town").select_option("number")
    expect(table.part("problem")).to_contain_text("column 'town'")
    expect(table.part("problem")).to_contain_text("'Brookfield'")
    expect(table.part("results")).to_be_hidden()
    column(table, "town").select_option("category")
    expect(table.part("results")).to_be_visible()
    expect(table.part("problem")).to_be_hidden()


def test_few_rows_are_predicted_and_the_reason_why_they_are_not_compared_is_given(table: View, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("a,y\n1,2\n2,4\n3,\n4,8.5\n")
    upload(table, tmp_path / "few.csv")
    expect(table.part("predictions").locator("tbody tr")).to_have_count(1)
    expect(table.part("sentence")).to_contain_text("Not compared with other methods: few.csv: has 3 rows with a target")


def test_cells_that_cannot_be_read_are_named_with_an_example_and_its_place(table: View, tmp_path: Path) -> None:
    lines = ["a,y", *(f"{i},{3 * i}" for i in range(30)), "oops,4", "7,?", "8,"]
    (tmp_path / "cells.csv").write_text("\n".join(lines))
    upload(table, tmp_path / "cells.csv")
    expect(table.part("findings")).to_contain_text("1 cell of “a” cannot be read, such as “oops” (line 32)")
    expect(table.part("predictions").locator("tbody tr")).to_have_count(2)


def test_a_table_that_is_pasted_is_read_like_a_file(table: View) -> None:
    expect(table.part("drop")).to_be_visible()
    rows = "\n".join(["a\tb", *(f"{i}\t{2 * i}" for i in range(12)), "4\t"])
    table.page.evaluate("text => navigator.clipboard.writeText(text)", rows)
    table.page.keyboard.press("Control+V")
    expect(table.part("file")).to_have_text("pasted.csv: 13 rows, 2 columns; b is known in 12 and predicted in 1.")
