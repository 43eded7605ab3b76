"""`gdssm contexts build` and `gdssm predict` with any number of files."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from pyarrow import ipc

from service.cli import main
from service.datasets import splits
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.running import ROOT
from tests.service.in_process import in_process

TOWNS = ("Bern", "Basel", "Chur", "Davos")


def frame(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 3)) * [1.0, 10.0, 0.1] + [0.0, 1e3, -5.0]
    town = generator.integers(len(TOWNS), size=rows)
    y = x @ [1.0, 0.2, 5.0] + town + 0.1 * generator.normal(size=rows)
    found = pd.DataFrame(x, columns=["a", "b", "c"])
    found["town"] = [TOWNS[place] for place in town]
    found["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 900, size=rows), "D")
    found["key"] = [f"r{seed}-{row}" for row in range(rows)]
    found["y"] = y
    found.loc[generator.random(rows) < 0.1, "b"] = np.nan
    return found


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def ok(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, f"{result.output}{result.exception!r}"
    return result


def refusal(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, f"{result.output}{result.exception!r}"
    return result.stderr


def build(*arguments: object, out: str = "context.safetensors") -> bytes:
    ok("contexts", "build", *arguments, "--target", "y", "--key", "key", "--out", out)
    return Path(out).read_bytes()


@pytest.fixture(autouse=True)
def frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[pd.DataFrame]:
    """Three Parquet files of several splits each, and two files of queries."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(splits, "SPLIT_SIZE", 2**14)
    Path("data").mkdir()
    Path("queries").mkdir()
    known = [frame(rows, seed) for seed, rows in enumerate((600, 37, 410))]
    for number, each in enumerate(known):
        each.to_parquet(f"data/{number}.parquet", row_group_size=90, index=False)
    for number in range(2):
        frame(150 + number, 10 + number).drop(columns="y").to_parquet(f"queries/{number}.parquet", row_group_size=60)
    return known


def whole(frames: list[pd.DataFrame]) -> Path:
    pd.concat(frames).to_parquet("whole.parquet", index=False)
    return Path("whole.parquet")


def single(context: object, query: object, *options: object) -> pd.DataFrame:
    """Predict as one file from one file."""
    ok("predict", context, query, "--target", "y", "--key", "key", "--quiet", "--out", "single.parquet", *options)
    return pd.read_parquet("single.parquet")


def many(*arguments: object) -> list[pd.DataFrame]:
    ok("predict", *arguments, "--key", "key", "--quiet", "--out", "out/")
    files = sorted(Path("out").rglob("*.parquet"))
    return [pd.read_parquet(file) for file in files]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_many_files_predict_as_one_file_of_all_rows(frames: list[pd.DataFrame], model: str) -> None:
    found = many("data", "queries", "--target", "y", "--model", model, "--interval", "0.9")
    spread = float(pd.concat(frames)["y"].std())
    whole(frames)
    for number, each in nonempty(list(enumerate(found))):
        expected = single("whole.parquet", f"queries/{number}.parquet", "--model", model, "--interval", "0.9")
        assert list(each["key"]) == list(expected["key"])
        assert list(each.columns) == ["key", "y", "y_lower", "y_upper"]
        for name in ("y", "y_lower", "y_upper"):
            np.testing.assert_allclose(each[name], expected[name], rtol=0, atol=1e-9 * spread)


def test_a_context_holds_the_sums_of_all_rows(frames: list[pd.DataFrame]) -> None:
    ok("contexts", "build", "data", "--target", "y", "--columns", "a,c", "--model", "linear", "--out", "c.safetensors")
    ok("predict", "c.safetensors", "queries", "--out", "out/", "--quiet")
    found, query = pd.read_parquet("out/0.parquet")["y"], pd.read_parquet("queries/0.parquet")
    rows = pd.concat(frames)
    x = np.column_stack([np.ones(len(rows)), rows[["a", "c"]]])
    coefficients = np.linalg.lstsq(x, rows["y"].to_numpy(), rcond=None)[0]
    expected = np.column_stack([np.ones(len(query)), query[["a", "c"]]]) @ coefficients
    assert_close(found.to_numpy(), expected, "least squares", rtol=2e-3)


@pytest.mark.parametrize("model", ["linear", "nonlinear", "gd-8"])
@pytest.mark.slow
def test_the_number_of_processes_changes_no_bit(model: str) -> None:
    options = ["--model", model] if model != "gd-8" else ["--model", model, "--columns", "a,c"]
    files = [build("data", *options, "--processes", count) for count in (1, 2, 4)]
    assert files[0] == files[1] == files[2]
    for count in (1, 2):
        ok("predict", "context.safetensors", "queries", "--out", f"out{count}/", "--quiet", "--processes", count)
    for name in nonempty(["0.parquet", "1.parquet"]):
        assert Path("out1", name).read_bytes() == Path("out2", name).read_bytes()


@pytest.mark.slow
def test_one_state_is_imported_and_predicts_the_same() -> None:
    file = build("data")
    many("context.safetensors", "queries")
    found = pd.read_parquet("out/0.parquet")["y"]
    query = pd.read_parquet("queries/0.parquet").drop(columns="key")
    query["day"] = query["day"].dt.strftime("%Y-%m-%d")
    records = query.astype(object).where(query.notna(), None).to_dict("records")
    from service.settings import Settings  # noqa: PLC0415  (a database in this directory)

    binary = {"content-type": "application/octet-stream"}
    with in_process(Settings(database_url="sqlite:///service.db")) as client:
        answer = client.request("POST", "/v1/contexts/import", content=file, headers=binary)
        assert answer.status_code == 201, answer.text
        assert answer.json()["n_observations"] == 600 + 37 + 410
        context = answer.json()["id"]
        predicted = client.request("POST", f"/v1/contexts/{context}/predictions", json={"query": records})
        assert predicted.status_code == 200, predicted.text
    assert_close(np.array(predicted.json()["prediction"]), found.to_numpy(), "prediction", rtol=1e-12)


def test_decay_is_that_of_one_context_in_the_order_of_the_files(frames: list[pd.DataFrame]) -> None:
    options = ["--decay", "0.99", "--columns", "a,c", "--model", "linear"]
    build("data", *options)
    many("context.safetensors", "queries")
    found = pd.read_parquet("out/0.parquet")
    whole(frames)
    build("whole.parquet", *options, out="one.safetensors")
    many("one.safetensors", "queries")
    np.testing.assert_allclose(found["y"], pd.read_parquet("out/0.parquet")["y"], rtol=1e-9)


@pytest.mark.slow
def test_a_decay_that_is_chosen_learns_in_one_task() -> None:
    file = build("data", "--decay", "auto", "--columns", "a,c")
    assert rb"\"decay\":\"auto\"" in file
    assert "must be above 0 and at most 1" in refusal(
        "contexts", "build", "data", "--target", "y", "--decay", "much", "--out", "x.safetensors"
    )


@pytest.mark.slow
def test_formats_are_mixed(frames: list[pd.DataFrame]) -> None:
    build("data", "--model", "linear")
    Path("mixed").mkdir()
    frames[0].to_csv("mixed/0.csv.gz", index=False)
    frames[1].to_json("mixed/1.jsonl", orient="records", lines=True, date_format="iso")
    frames[2].to_csv("mixed/2.csv", index=False, sep=";")
    build("mixed", "--model", "linear", out="mixed.safetensors")
    first = many("context.safetensors", "queries")[0]
    second = many("mixed.safetensors", "queries")[0]
    np.testing.assert_allclose(first["y"], second["y"], rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "end"), [("csv", ".csv"), ("csv.gz", ".csv.gz"), ("arrow", ".arrow")])
def test_parts_of_a_file_are_joined_in_every_format(form: str, end: str) -> None:
    build("data")
    expected = many("context.safetensors", "queries")
    ok("predict", "context.safetensors", "queries", "--key", "key", "--out", "other/", "--format", form, "--quiet")
    assert sorted(path.name for path in Path("other").iterdir()) == [f"0{end}", f"1{end}"]
    for number, each in nonempty(list(enumerate(expected))):
        path = Path(f"other/{number}{end}")
        if form == "arrow":
            found: Any = ipc.open_file(path).read_all().to_pandas()
        else:
            found = pd.read_csv(path)
        pd.testing.assert_frame_equal(found, each, check_exact=form == "arrow", rtol=1e-15)


@pytest.mark.slow
def test_all_columns_are_appended() -> None:
    build("data")
    ok("predict", "context.safetensors", "queries", "--append", "--out", "out/", "--quiet")
    query, found = pd.read_parquet("queries/1.parquet"), pd.read_parquet("out/1.parquet")
    pd.testing.assert_frame_equal(found[query.columns], query)
    assert found["y"].notna().all()


@pytest.mark.slow
def test_many_small_files_are_few_tasks(frames: list[pd.DataFrame]) -> None:
    Path("small").mkdir()
    rows = pd.concat(frames)
    for number in range(0, len(rows), 3):
        rows.iloc[number : number + 3].to_csv(f"small/{number:05}.csv", index=False)
    build("small", out="small.safetensors")
    build("data")
    small, large = many("small.safetensors", "queries")[0], many("context.safetensors", "queries")[0]
    np.testing.assert_allclose(small["y"], large["y"], rtol=1e-7)
    ok("predict", "context.safetensors", "small", "--out", "many/", "--quiet")
    assert len(list(Path("many").iterdir())) == len(range(0, len(rows), 3))


def test_a_column_that_is_text_in_one_file_is_text_in_all() -> None:
    Path("codes").mkdir()
    for number, codes in enumerate((["1", "2"] * 20, ["x", "2"] * 20)):
        pd.DataFrame({"code": codes, "y": range(40)}).to_csv(f"codes/{number}.csv", index=False)
    result = ok("contexts", "build", "codes", "--target", "y", "--out", "codes.safetensors")
    assert "category of 3 levels: 2, 1, x" in result.stderr


@pytest.mark.slow
def test_a_file_without_rows_has_an_output_without_rows() -> None:
    build("data")
    query = pd.read_parquet("queries/0.parquet").head(0)
    query.to_parquet("queries/empty.parquet")
    query.to_parquet("data/empty.parquet")
    found = many("context.safetensors", "queries")[2]
    assert list(found.columns) == ["key", "y"]
    assert len(found) == 0
    ok("predict", "context.safetensors", "queries/empty.parquet", "--out", "plain/", "--quiet")
    assert pd.read_parquet("plain/empty.parquet").columns.tolist() == ["y"]


@pytest.mark.slow
def test_one_query_may_have_one_output_file(frames: list[pd.DataFrame]) -> None:
    build("data")
    ok("predict", "context.safetensors", "queries/0.parquet", "--key", "key", "--out", "one.csv", "--quiet")
    assert len(pd.read_csv("one.csv")) == 150
    whole(frames)
    ok("predict", "whole.parquet", "queries/0.parquet", "--target", "y", "--out", "dir/", "--quiet")
    assert Path("dir/0.parquet").exists()


@pytest.mark.slow
def test_classes_are_predicted_with_their_probabilities() -> None:
    ok("contexts", "build", "data", "--target", "town", "--key", "key", "--out", "c.safetensors")
    ok("predict", "c.safetensors", "data", "--out", "out/", "--quiet")
    found = pd.read_parquet("out/0.parquet")
    assert set(found["town"]) <= {*TOWNS}
    assert {f"town={town}" for town in TOWNS} <= {*found.columns}


def test_odd_cells_and_unknown_columns_are_named_with_their_file(frames: list[pd.DataFrame]) -> None:
    odd = frames[1].assign(a=frames[1]["a"].astype(object), z=1.5)
    odd.loc[5, "a"] = "what"
    odd.to_csv("data/3.csv", index=False)
    said = ok("contexts", "build", "data", "--target", "y", "--key", "key", "--out", "c.safetensors").stderr
    assert "data/3.csv: not used, as the first file has no such column: 'z'." in said
    assert "column 'a': 1 cell not readable, taken as missing, such as 'what' (data/3.csv, line 7)." in said


BAD = {
    "cut.parquet": (b"PAR1half", "bad/cut.parquet: is not Parquet"),
    "empty.csv": (b"", "bad/empty.csv: is empty"),
    "page.csv": (b"<html><body>no</body></html>", "bad/page.csv: is an HTML page"),
    "other.csv": (b"a,c,y\n1,2,3\n", "bad/other.csv: has no column 'b', 'town', 'day', 'key', which bad/0.parquet has"),
    "ragged.csv": (
        b"a,b,c,town,day,key,y\n" + b"1,2,3,Bern,2024-01-01,k,5,6,7\n" * 30,
        "bad/ragged.csv, line 2: has 9 cells; the header has 7",
    ),
}


@pytest.mark.parametrize("name", [*BAD])
def test_a_bad_file_is_named_and_nothing_is_written(name: str) -> None:
    Path("data").rename("bad")
    Path("bad", name).write_bytes(BAD[name][0])
    said = refusal("contexts", "build", "bad", "--target", "y", "--key", "key", "--out", "c.safetensors")
    assert BAD[name][1] in said
    assert not Path("c.safetensors").exists()


@pytest.mark.slow
def test_a_bad_file_is_named_by_a_worker_process() -> None:
    build("data")
    Path("queries/bad.csv").write_text("a\n1\n")
    said = refusal("predict", "context.safetensors", "queries", "--out", "out/", "--processes", "2")
    assert "queries/bad.csv: has no column" in said
    assert not Path("out/bad.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data", "--target", "y", "--out", "out/"], "Name the rows to predict last"),
        (["data", "queries", "--target", "y"], "--out: is missing"),
        (["data", "queries", "--out", "out/"], "Missing option '--target'"),
        (["data", "queries", "--target", "y", "--out", "out.csv"], "out.csv is one file, for 2 inputs"),
        (["data", "data", "--target", "y", "--out", "data/"], "is a file that is read"),
        (["data", "queries", "--target", "y", "--out", "out/", "--json"], "--url and --json are for one file"),
        (["data", "queries", "--target", "none", "--out", "out/"], "There is no column 'none'"),
        (["data", "queries", "--target", "y", "--key", "none", "--out", "out/"], "has no column 'none'"),
        (["none/*", "queries", "--target", "y", "--out", "out/"], "none/*: has no files"),
        (["no.safetensors", "queries", "--out", "out/"], "no.safetensors: The bytes are no exported context"),
        (["c.safetensors", "queries", "--out", "out/", "--target", "a"], "c.safetensors predicts 'y'"),
        (["c.safetensors", "queries", "--out", "out/", "--model", "gd-1"], "Leave --model and --version out"),
        (["c.safetensors", "queries", "--out", "out/", "--ignore", "a"], "says what its columns are"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str) -> None:
    Path("no.safetensors").write_bytes(b"no")
    if "c.safetensors" in arguments:
        build("data", out="c.safetensors")
    assert message in refusal("predict", *arguments).replace("no.safetensors: are", "no.safetensors: The bytes are")


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    code = (
        "import sys; from service.datasets import splits; splits.SPLIT_SIZE = 2**14\n"
        "from service.cli import main; main(sys.argv[1:])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *arguments]
    with Path("stderr").open("ab") as stderr:
        return subprocess.Popen(command, env=environment, start_new_session=True, stderr=stderr)


def killed_until_done(*arguments: str, run_directory: Path) -> int:
    """Kill a command when it has finished some task, and start it again, until it ends; return the number of kills."""
    generator, kills = random.Random(1), 0  # noqa: S311
    while True:
        process, wanted = start(*arguments), generator.randint(1, 4)
        before = finished(run_directory)
        while process.poll() is None and (kills > 4 or finished(run_directory) < before + wanted):
            time.sleep(0.002)
        if process.poll() is not None:
            assert process.returncode == 0, Path("stderr").read_text()
            return kills
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1


def finished(directory: Path) -> int:
    """Count results, in a directory that may be removed meanwhile."""
    return sum(name.isdigit() for _, _, names in os.walk(directory) for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_killed_run_continues_to_the_same_bits(processes: str) -> None:
    expected = build("data")
    ok("predict", "context.safetensors", "queries", "--key", "key", "--out", "out/", "--quiet")
    learn = ["contexts", "build", "data", "--target", "y", "--key", "key", "--out", "again.safetensors"]
    kills = killed_until_done(*learn, "--processes", processes, run_directory=Path(".again.safetensors.gdssm-run"))
    assert Path("again.safetensors").read_bytes() == expected
    predict = ["predict", "again.safetensors", "queries", "--key", "key", "--out", "again/", "--processes", processes]
    kills += killed_until_done(*predict, run_directory=Path("again/.gdssm-run"))
    assert kills > 0
    assert sorted(path.name for path in Path("again").iterdir()) == ["0.parquet", "1.parquet"]
    for name in nonempty(["0.parquet", "1.parquet"]):
        assert Path("again", name).read_bytes() == Path("out", name).read_bytes()


@pytest.mark.slow
def test_a_changed_file_begins_again(frames: list[pd.DataFrame], monkeypatch: pytest.MonkeyPatch) -> None:
    from service.datasets import building  # noqa: PLC0415

    def refuse(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(building, "check_imported", refuse)
        assert run("contexts", "build", "data", "--target", "y", "--key", "key", "--out", "c.safetensors").exit_code
    assert finished(Path(".c.safetensors.gdssm-run"))
    frames[1].to_parquet("data/0.parquet", index=False)
    said = ok("contexts", "build", "data", "--target", "y", "--key", "key", "--out", "c.safetensors").stderr
    assert "begins again" in said
    assert Path("c.safetensors").read_bytes() == build("data", out="d.safetensors")
