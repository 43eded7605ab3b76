"""`gdssm predict` with tables as people have them."""

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from service.cli import main
from tests.nonempty import nonempty
from tests.running import Server

HOUSES = """id,size,town,note,price
a1,50,Bern,"one, two three",100
a2,70,Basel,x y z w,"1,140"
a3,,Bern,q r s t,181
a4,95,Chur,u v w x,?
a5,abc,Basel,"a ""b"" c d",
a6,90,Bern,g h j k,
a7,90,Bern,g h j 2,170
a8,90,Bern,g h j 3,oops
a9,91,,g h j 4,172
b1,31,Bern,g h 33 k,62
b2,41,Basel,g h j 5,62
b3,51,Basel,g h j 6,99
b4,61,Basel,g h j 7,122
"""
PREDICTED = ["a4", "a5", "a6"]


@pytest.fixture(autouse=True)
def _houses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("houses.csv").write_text(HOUSES)


def predict(*arguments: str, target: str = "price") -> Result:
    result = CliRunner().invoke(main, ["predict", *arguments, "--target", target])
    assert result.exit_code == 0, result.output
    return result


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_rows_without_a_target_are_predicted() -> None:
    found = table(predict("houses.csv", "--key", "id", "--interval", "0.9").stdout)
    assert list(found.columns) == ["id", "price", "price_lower", "price_upper"]
    assert list(found["id"]) == PREDICTED
    assert (found["price_lower"] < found["price"]).all()
    assert (found["price"] < found["price_upper"]).all()


def test_one_file_and_two_give_the_same() -> None:
    lines = HOUSES.splitlines(keepends=True)
    asked = [line for line in lines if line[:2] in PREDICTED]
    Path("known.csv").write_text("".join(line for line in lines if line not in asked))
    Path("wanted.csv").write_text("".join([lines[0], *asked]))
    one, two = (table(predict(*files, "--key", "id").stdout) for files in (["houses.csv"], ["known.csv", "wanted.csv"]))
    pd.testing.assert_frame_equal(one, two)


def test_what_was_done_with_columns_is_said() -> None:
    said = predict("houses.csv").stderr.splitlines()
    assert said[0] == "houses.csv: learnt from 9 rows, by model nonlinear."
    described = {line.split()[0]: line for line in said[1:6]}
    assert [*described] == ["id", "size", "town", "note", "price"]
    assert "left out: looks like an identifier" in described["id"]
    assert described["size"].endswith("number; 1 missing cell")
    assert "category of 2 levels: Bern, Basel" in described["town"]
    assert "left out: free text" in described["note"]
    assert said[8].startswith(
        "houses.csv, column 'town': 1 cell with a level that no row with a target has, taken as none"
    )
    assert said[6:8] == [
        "houses.csv, column 'price': 1 cell not readable, rows not used, such as 'oops' (line 9).",
        "houses.csv, column 'size': 1 cell not readable, taken as missing, such as 'abc' (line 6).",
    ]
    assert predict("houses.csv", "--quiet").stderr == ""


@pytest.mark.slow
def test_all_rows_and_columns_are_written_on_request() -> None:
    own = list(csv.reader(io.StringIO(HOUSES)))
    found = list(csv.reader(io.StringIO(predict("houses.csv", "--append", "--interval", "0.9").stdout)))
    predicted = {
        row[0]: float(row[1])
        for row in csv.reader(io.StringIO(predict("houses.csv", "--key", "id").stdout))
        if row[0] in PREDICTED
    }
    assert found[0] == [*own[0], "price_lower", "price_upper"]
    for before, after in nonempty(zip(own[1:], found[1:], strict=True)):
        assert after[:4] == before[:4]
        if before[0] in PREDICTED:
            assert float(after[4]) == predicted[before[0]]
            assert float(after[5]) < float(after[4]) < float(after[6])
        else:
            assert after[4:] == [before[4], "", ""]


def test_predictions_are_added_to_the_columns_of_a_second_file() -> None:
    Path("wanted.csv").write_text("town,size,code,price\nBern,60,007,9\n")
    result = predict("houses.csv", "wanted.csv", "--append")
    header, row = list(csv.reader(io.StringIO(result.stdout)))
    assert header == ["town", "size", "code", "price"]
    assert row[:3] == ["Bern", "60", "007"]
    assert float(row[3]) != 9
    assert "wanted.csv: not used, as houses.csv has no such column: 'code'." in result.stderr


def test_classes_have_probabilities() -> None:
    found = table(predict("houses.csv", "--key", "id", target="town").stdout)
    assert list(found.columns) == ["id", "town", "town=Basel", "town=Bern", "town=Chur"]
    chances = found.iloc[:, 2:].to_numpy()
    np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-9)
    assert list(found["town"]) == [["Basel", "Bern", "Chur"][place] for place in chances.argmax(1)]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".arrow"])
def test_the_suffix_decides_the_format(suffix: str) -> None:
    out = Path(f"out{suffix}")
    predict("houses.csv", "--append", "--out", str(out))
    found = {
        ".csv": lambda: pd.read_csv(out),
        ".csv.gz": lambda: pd.read_csv(io.BytesIO(gzip.decompress(out.read_bytes()))),
        ".parquet": lambda: pd.read_parquet(out),
        ".arrow": lambda: pd.read_feather(out),
    }[suffix]()
    assert list(found["id"]) == [line[:2] for line in HOUSES.splitlines()[1:]]
    prices = pd.to_numeric(found["price"].astype(str).str.replace(",", ""), errors="coerce")
    assert (prices[found["id"] == "a2"] == 1140).all()
    assert prices[found["id"].isin(PREDICTED)].notna().all()
    assert (found["price"].dtype == float) == (suffix in {".parquet", ".arrow"})


def test_types_of_a_parquet_file_are_kept() -> None:
    frame = pd.DataFrame({"n": [*range(7)], "x": np.arange(7.0) ** 2, "y": [1.0, 2, None, 4, 5, 6, 7]})
    frame.to_parquet("t.parquet")
    predict("t.parquet", "--append", "--out", "out.parquet", target="y")
    found = pd.read_parquet("out.parquet")
    assert found.dtypes.equals(frame.dtypes)
    pd.testing.assert_frame_equal(found.drop(index=2), frame.drop(index=2))
    assert found["y"].notna().all()


def test_columns_and_kinds_can_be_said() -> None:
    options = ["--columns", "size, id", "--kind", "id=category", "--quiet", "--interval", "0.5"]
    assert len(table(predict("houses.csv", *options).stdout)) == 3
    said = predict("houses.csv", "--ignore", "size", "--kind", "note=category").stderr
    assert "size   left out: as requested" in said
    assert "note   category" in said


def test_reading_can_be_said() -> None:
    Path("t.txt").write_bytes("1,5|2\n-9|4\n3,5|7\n4,5|ü\n".encode("cp1252"))
    options = ["--separator", "|", "--decimal", ",", "--encoding", "cp1252", "--no-header", "--na", "-9", "--na", "ü"]
    result = predict("t.txt", *options, target="column_2")
    assert len(table(result.stdout)) == 1
    assert "column_1  number, with a decimal comma; 1 missing cell" in result.stderr


@pytest.mark.parametrize("rows", ["1", "2", "5"])
@pytest.mark.slow
def test_the_rows_of_a_chunk_do_not_change_the_predictions(rows: str) -> None:
    options = ["houses.csv", "--append", "--interval", "0.8", "--model", "linear"]
    whole, parts = (table(predict(*options, *more).stdout) for more in ([], ["--chunk-rows", rows]))
    prices = whole["price"].str.fullmatch(r"\d+\.\d+")
    assert prices.sum() == 3
    for frame in (whole, parts):
        frame["price"] = frame["price"].where(~prices, frame["price"].where(prices).astype(float).round(9))
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-9)


def test_json_is_the_answer_of_the_service() -> None:
    found = json.loads(predict("houses.csv", "--json", "--key", "id", "--interval", "0.9").stdout)
    assert (found["rows"], found["keys"]) == ([3, 4, 5], {"id": PREDICTED})
    assert found["n_observations"] == 9
    assert [column["name"] for column in found["columns"]] == ["id", "size", "town", "note", "price"]
    assert {finding["what"] for finding in found["findings"]} == {"target", "unreadable", "new_level"}
    assert len(found["interval"]["lower"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--kind", "size=numeric"],
            "--kind: must be COLUMN=KIND, with one of number, yes_no, category, time",
        ),
        (["--key", "name"], "houses.csv: has no column 'name'; it has 'id', 'size'"),
        (["--ignore", "rooms"], "There is no column 'rooms'"),
        (["--model", "classifier"], "Name another model or task."),
        (["--out", "no/such.csv"], "no/such.csv: cannot be written (No such file or directory)."),
    ],
)
def test_mistakes_are_reported_in_one_line(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["predict", "houses.csv", "--target", "price", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_without_gaps_has_nothing_to_predict() -> None:
    Path("t.csv").write_text("a,y\n1,2\n2,3\n3,5\n")
    result = CliRunner().invoke(main, ["predict", "t.csv", "--target", "y"])
    assert result.exit_code == 2
    assert "t.csv: has no row without a value in 'y': there is nothing to predict." in result.stderr


@pytest.mark.slow
def test_a_service_predicts_the_same(server: Server) -> None:
    _predicts_the_same("--url", server.url)


def _predicts_the_same(*at: str) -> None:
    assert predict("houses.csv", "--key", "id", "--interval", "0.9", *at).stdout == (
        predict("houses.csv", "--key", "id", "--interval", "0.9").stdout
    )
    Path("wanted.csv").write_text("town,size\nBern,\nBasel,80\n")
    assert predict("houses.csv", "wanted.csv", *at).stdout == predict("houses.csv", "wanted.csv").stdout
    classes = [predict("houses.csv", "houses.csv", "--ignore", "note", *where, target="town") for where in ((), at)]
    assert classes[0].stdout == classes[1].stdout
    assert "houses.csv: learnt from 12 rows, by model classifier" in classes[1].stderr


@pytest.mark.parametrize("option", [["--append"], ["--json"], ["--chunk-rows", "3"]])
def test_options_that_need_the_file_here_are_refused_with_a_service(option: list[str]) -> None:
    result = CliRunner().invoke(
        main, ["predict", "houses.csv", "--target", "price", "--url", "http://127.0.0.1:9", *option]
    )
    assert result.exit_code == 2
    assert "--url takes neither --append, --json nor --chunk-rows" in result.stderr
