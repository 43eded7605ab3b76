"""Files as bodies of /v1/predict and /v1/inspect, and answers as files."""

import csv
import gzip
import io
import json
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

from service.api import table_files
from service.settings import Settings
from tests.service.in_process import InProcess, in_process

HOUSES = Path("examples/houses.csv").read_bytes()
CSV = b"lot;size;town;price\na1;51,5;Bern;181,2\na2;134;Basel;394,1\na3;87;Bern;271,5\na4;;Basel;322\na5;70;Bern;\n"
RECORDS: list[dict[str, object]] = [
    {"lot": "a1", "size": 51.5, "town": "Bern", "price": 181.2},
    {"lot": "a2", "size": 134, "town": "Basel", "price": 394.1},
    {"lot": "a3", "size": 87, "town": "Bern", "price": 271.5},
    {"lot": "a4", "size": None, "town": "Basel", "price": 322},
    {"lot": "a5", "size": 70, "town": "Bern", "price": None},
]
PARQUET = "application/vnd.apache.parquet"
ARROW_FILE = "application/vnd.apache.arrow.file"
ARROW_STREAM = "application/vnd.apache.arrow.stream"


def send(
    client: InProcess, content: bytes, query: str = "target=price", kind: str = "text/csv", accept: str = "*/*"
) -> httpx.Response:
    headers = {"Content-Type": kind, "Accept": accept}
    return client.request("POST", f"/v1/predict?{query}", content=content, headers=headers)


def arrow_bytes(kind: str) -> bytes:
    table, sink = pa.Table.from_pylist(RECORDS), io.BytesIO()
    if kind == PARQUET:
        pq.write_table(table, sink)
    else:
        with (ipc.new_file if kind == ARROW_FILE else ipc.new_stream)(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


@pytest.fixture(scope="module")
def expected(client: InProcess) -> list[float]:
    body = {"target": "price", "rows": RECORDS, "keys": ["lot"]}
    prediction: list[float] = client.predict(body).json()["prediction"]
    return prediction


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (CSV, "text/csv"),
        (CSV.decode().encode("utf-16"), "text/csv"),
        (CSV.replace(b";", b"\t"), "text/tab-separated-values"),
        (arrow_bytes(PARQUET), PARQUET),
        (arrow_bytes(ARROW_FILE), ARROW_FILE),
        (arrow_bytes(ARROW_STREAM), ARROW_STREAM),
        ("\n".join(map(json.dumps, RECORDS)).encode(), "application/x-ndjson"),
    ],
    ids=["csv", "utf-16", "tabs", "parquet", "arrow file", "arrow stream", "json lines"],
)
def test_every_format_is_predicted_as_its_records(
    client: InProcess, expected: list[float], content: bytes, kind: str
) -> None:
    answer = send(client, content, "target=price&keys=lot", kind)
    assert answer.status_code == 200, answer.text
    assert answer.json()["prediction"] == expected
    assert answer.json()["keys"] == {"lot": ["a5"]}


def test_the_fields_are_query_parameters(client: InProcess) -> None:
    query = "target=price&ignore=lot&ignore=town&kind=size:number&interval=0.9&quantiles=0.1&quantiles=0.5&model=linear"
    answer = send(client, CSV, query).json()
    body = {
        "target": "price",
        "rows": RECORDS,
        "ignore": ["lot", "town"],
        "interval": 0.9,
        "quantiles": [0.1, 0.5],
        "model": "linear",
    }
    same = client.predict(body).json()
    for name in ("prediction", "interval", "quantiles", "rows", "model"):
        assert answer[name] == same[name]


def test_the_format_can_be_said(client: InProcess) -> None:
    content = "51.5|Köln|181.2\n134|Bern|394.1\n87|Köln|271.5\n70|Bern|\n".encode("latin-1")
    query = "target=column_3&separator=|&encoding=latin-1&header=false"
    answer = send(client, content, query).json()
    assert answer["schema"]["columns"][1]["levels"] == ["Köln", "Bern"] or "Köln" in str(answer["schema"])
    assert answer["read"] == ["no header, so the columns are column_1, column_2 …"]
    by_type = send(client, content, "target=column_3&separator=|&header=false", "text/csv; charset=ISO-8859-1").json()
    assert by_type["schema"] == answer["schema"]


def test_text_in_another_encoding_is_refused_without_options_of_the_command_line(client: InProcess) -> None:
    answer = send(client, b"a,b\n1,2\n", "target=b", "text/csv; charset=utf-16")
    assert answer.status_code == 422
    assert "is not text in utf-16" in answer.json()["error"]
    assert "--" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["target"]),
        ("target=price&colour=red&header=x", ["colour", "header"]),
        ("target=price&target=size", ["target"]),
        ("target=price&kind=town", ["kind"]),
        ("target=price&kind=town:colour", ["kinds.town"]),
        ("target=price&interval=wide", ["interval"]),
        ("target=price&interval=nan", ["interval"]),
        ("target=price&quantiles=low", ["quantiles"]),
        ("target=price&rows=1", ["rows"]),
        ("target=price&decimal=x", ["decimal"]),
        ("target=price&separator=", ["separator"]),
        ("target=price&encoding=klingon", ["the body"]),
        ("target=cost", [""]),
    ],
)
def test_what_does_not_fit_is_named(client: InProcess, query: str, fields: list[str]) -> None:
    answer = send(client, CSV, query)
    assert answer.status_code == 422, answer.text
    assert [problem["field"] for problem in answer.json()["detail"]] == fields


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "text/csv"),
        (b"size,price\n", "text/csv"),
        (b"\x00\x01\x02" * 100, "text/csv"),
        (CSV, PARQUET),
        (CSV, ARROW_STREAM),
        (CSV, "application/vnd.ms-excel"),
        (CSV, "application/x-ndjson"),
        (arrow_bytes(PARQUET)[:-20], PARQUET),
        (arrow_bytes(ARROW_FILE)[:200], ARROW_FILE),
        (gzip.compress(CSV, mtime=0), "text/csv"),
    ],
)
def test_bytes_of_another_kind_are_refused(client: InProcess, content: bytes, kind: str) -> None:
    answer = send(client, content, kind=kind)
    assert answer.status_code == 422, answer.text
    assert len(answer.text) < 2000


def test_a_small_file_of_many_rows_is_refused(client: InProcess) -> None:
    sink, rows = io.BytesIO(), 3_000_000
    pq.write_table(pa.table({"size": pa.array([1.0] * rows), "price": pa.array([2.0] * rows)}), sink)
    assert len(sink.getvalue()) < 100_000
    answer = send(client, sink.getvalue(), kind=PARQUET)
    assert answer.status_code == 422
    assert "has more than 2000000 rows" in answer.json()["error"]


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_a_small_file_of_many_long_texts_is_refused(client: InProcess, accept: str) -> None:
    sink, rows = io.BytesIO(), 2_000
    columns = {"note": ["a" * 100_000] * rows, "size": [*range(rows)], "price": [2.0] * (rows - 1) + [None]}
    pq.write_table(pa.table(columns), sink)
    assert len(sink.getvalue()) < 100_000
    answer = send(client, sink.getvalue(), kind=PARQUET, accept=accept)
    assert answer.status_code == 422
    assert "has more than 134217728 characters of text" in answer.json()["error"]


@pytest.mark.parametrize("kind", [PARQUET, ARROW_FILE])
def test_long_texts_of_a_dictionary_are_refused_before_they_are_written_again(client: InProcess, kind: str) -> None:
    sink, rows = io.BytesIO(), 20_000
    note = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["a" * 100_000]))
    table = pa.table({"note": note, "size": [*range(rows)], "price": [2.0] * (rows - 1) + [None]})
    if kind == PARQUET:
        pq.write_table(table, sink)
    else:
        with ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    answer = send(client, sink.getvalue(), kind=kind, accept="text/csv")
    assert answer.status_code == 422
    assert "characters of text" in answer.json()["error"]


def test_numbers_are_no_characters(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "CHARACTERS_LIMIT", 100)
    sink = io.BytesIO()
    pq.write_table(pa.table({"size": [*range(1000)], "price": [2.0, 3.0] * 499 + [2.0, None]}), sink)
    answer = send(client, sink.getvalue(), kind=PARQUET, accept="text/csv")
    assert answer.status_code == 200, answer.text


@pytest.mark.slow
def test_a_file_over_the_limit_is_sent_to_the_command_line() -> None:
    with in_process(Settings(max_body_bytes=100)) as client:
        answer = send(client, CSV)
        assert answer.status_code == 413
        assert "gdssm predict FILE --target COLUMN" in answer.json()["error"]
        assert "command line" not in client.predict({"target": "price", "rows": RECORDS}).json()["error"]


def test_without_pyarrow_the_install_is_named(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ImportError

    monkeypatch.setattr("service.tables.extra.importlib.import_module", missing)
    answer = send(client, CSV)
    assert answer.status_code == 422
    assert "pip install 'gdssm[tables]'" in answer.json()["error"]


def test_parameters_for_files_are_refused_with_json(client: InProcess) -> None:
    body = {"target": "price", "rows": RECORDS}
    assert client.request("POST", "/v1/predict?other=1", json=body).status_code == 200
    answer = client.request("POST", "/v1/predict?interval=0.9&other=1&target=price", json=body).json()
    assert [problem["field"] for problem in answer["detail"]] == ["interval", "target"]


def test_answers_are_csv_on_request(client: InProcess) -> None:
    plain = send(client, CSV, "target=price&keys=lot&interval=0.9&quantiles=0.1").json()
    answer = send(client, CSV, "target=price&keys=lot&interval=0.9&quantiles=0.1", accept="text/csv")
    assert answer.headers["content-type"] == "text/csv"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row == {
        "lot": "a5",
        "price": repr(plain["prediction"][0]),
        "price_lower": repr(plain["interval"]["lower"][0]),
        "price_upper": repr(plain["interval"]["upper"][0]),
        "price_q0.1": repr(plain["quantiles"][0][0]),
    }


@pytest.mark.parametrize("kind", [PARQUET, ARROW_FILE, ARROW_STREAM])
def test_answers_are_arrow_on_request(client: InProcess, kind: str) -> None:
    body = {"target": "town", "rows": [{**row, "price": i} for i, row in enumerate(RECORDS)], "query": RECORDS[:2]}
    plain = client.predict(body).json()
    answer = client.request("POST", "/v1/predict", json=body, headers={"Accept": kind})
    assert answer.headers["content-type"] == kind
    source = io.BytesIO(answer.content)
    if kind == PARQUET:
        table = pq.read_table(source)
    else:
        table = (ipc.open_file if kind == ARROW_FILE else ipc.open_stream)(source).read_all()
    basel, bern = zip(*plain["probabilities"], strict=True)
    assert table.to_pydict() == {
        "row": [0, 1],
        "town": plain["prediction"],
        "town=Basel": [*basel],
        "town=Bern": [*bern],
    }


def test_any_other_accepted_type_is_answered_as_json(client: InProcess) -> None:
    for accept in ("*/*", "application/json", "text/html", "application/vnd.safetensors"):
        assert send(client, CSV, accept=accept).headers["content-type"] == "application/json"


def test_arrays_are_never_answered_as_csv(client: InProcess) -> None:
    body = {"context": {"x": [[1], [2], [3]], "y": [1, 2, 3]}, "query": [[4]]}
    answer = client.request("POST", "/v1/predict", json=body, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "application/json"


def test_a_file_is_inspected_with_how_it_was_read(client: InProcess) -> None:
    content = b"Houses of 2020\n\nsize,town,\n51,Bern,1\n134,Basel,2\n87,?,3\n"
    answer = client.request("POST", "/v1/inspect", content=content, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [one["name"] for one in found["columns"]][:2] == ["size", "town"]
    assert found["columns"][1]["missing"] == 1
    assert any("before the header" in note for note in found["read"])
    refused = client.request(
        "POST", "/v1/inspect?interval=0.9", content=content, headers={"Content-Type": "text/csv"}
    ).json()
    assert [problem["field"] for problem in refused["detail"]] == ["interval"]


def test_an_example_file_is_predicted(client: InProcess) -> None:
    lines = HOUSES.splitlines()
    wanted = lines[1].rsplit(b",", 1)[0] + b","
    answer = send(client, b"\n".join([*lines, wanted])).json()
    assert answer["rows"] == [len(lines) - 1]
    assert answer["n_observations"] == len(lines) - 1


def test_parameters_and_types_of_files_are_documented(client: InProcess) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/predict"]["post"]
    assert {"text/csv", PARQUET, ARROW_FILE, "application/json"} <= operation["requestBody"]["content"].keys()
    assert {"text/csv", PARQUET, ARROW_FILE} <= operation["responses"]["200"]["content"].keys()
    names = [parameter["name"] for parameter in operation["parameters"]]
    assert {"target", "kind", "separator", "interval"} <= {*names}
    assert len({*names}) == len(names)
