"""Files are found by paths, directories, globs and URIs."""

import os
from pathlib import Path

import pytest
from pyarrow import fs

from service.datasets.files import Location, find_files, locate
from service.datasets.outputs import OutputPlace, destination, open_whole
from service.errors import InvalidInput


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.csv",
        "a.csv",
        "year=2023/x.csv",
        "year=2024/x.csv",
        "year=2024/.y.csv.part",
        "_SUCCESS",
        ".h/z.csv",
    ):
        Path("data", name).parent.mkdir(parents=True, exist_ok=True)
        Path("data", name).write_text("x\n1\n")
    Path("odd[1].csv").write_text("x\n1\n")
    return tmp_path


def names(*texts: str) -> list[str]:
    return [file.name for file in find_files(texts)]


def test_a_directory_has_its_files_by_name_and_no_hidden_ones() -> None:
    found = ["data/a.csv", "data/b.csv", "data/year=2023/x.csv", "data/year=2024/x.csv"]
    assert names("data") == names("data/") == found


def test_files_have_their_paths_below_the_directory() -> None:
    assert [file.relative for file in find_files(["data"])] == [
        "a.csv",
        "b.csv",
        "year=2023/x.csv",
        "year=2024/x.csv",
    ]
    assert [file.relative for file in find_files(["data/*/x.csv"])] == ["year=2023/x.csv", "year=2024/x.csv"]
    assert [file.relative for file in find_files(["data/year=2024/x.csv"])] == ["x.csv"]


def test_globs_match_as_a_shell_does() -> None:
    assert names("data/*.csv") == ["data/a.csv", "data/b.csv"]
    assert names("data/year=*/x.csv") == ["data/year=2023/x.csv", "data/year=2024/x.csv"]
    assert names("data/**/x.csv") == ["data/year=2023/x.csv", "data/year=2024/x.csv"]
    assert names("data/**/*.csv") == names("data")
    assert names("data/year=202[4]") == ["data/year=2024/x.csv"]
    assert names("data/?.csv") == ["data/a.csv", "data/b.csv"]


def test_a_glob_begins_in_the_current_directory() -> None:
    assert names("*/a.csv") == ["data/a.csv"]
    Path("c.csv").write_text("x\n1\n")
    assert names("c*.csv") == ["c.csv"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file() -> None:
    assert names("odd[1].csv") == ["odd[1].csv"]


def test_a_file_is_there_once_in_the_order_of_the_first_text() -> None:
    assert names("data/b.csv", "data", "data/*.csv")[:2] == ["data/b.csv", "data/a.csv"]
    assert len(names("data/b.csv", "data", "data/*.csv")) == 4


def test_a_uri_is_the_same_as_its_path(folder: Path) -> None:
    assert [Path(name.removeprefix("file://")) for name in names(f"file://{folder}/data")] == [
        folder / name for name in names("data")
    ]
    assert len(names(f"file://{folder}/data/*.csv")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none.csv", "none.csv: cannot be read (No such file or directory)."),
        ("data/*.parquet", "data/*.parquet: has no files."),
        ("empty", "empty: has no files."),
        ("-", "-: is the standard input"),
        ("pipe", "pipe: is a pipe or a device, which is read once. Name files."),
        ("ftp://host/x.csv", "ftp://host/x.csv: is no URI that is read here"),
        ("data/b.csv/x", "No such file or directory"),
    ],
)
def test_what_names_no_file_is_refused(text: str, message: str) -> None:
    Path("empty").mkdir()
    os.mkfifo("pipe")
    with pytest.raises(InvalidInput) as caught:
        find_files([text])
    assert message in str(caught.value)


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_messages_hold_no_credentials(scheme: str) -> None:
    if scheme == "s3":
        assert locate("s3://user:secret@bucket/x.csv?endpoint_override=localhost:1").name == "s3://bucket/x.csv"
    with pytest.raises(InvalidInput) as caught:
        locate(f"{scheme}://user:secret@bucket/x.csv?no_such_option=1")
    assert "secret" not in str(caught.value)


def test_a_changed_file_is_noticed() -> None:
    (file,) = find_files(["data/a.csv"])
    with file.unchanged():
        pass
    Path("data/a.csv").write_text("x\n1\n2\n")
    with pytest.raises(InvalidInput, match="has changed since this run began"), file.unchanged():
        pass


def test_outputs_have_the_names_of_their_inputs(folder: Path) -> None:
    for name in ("t.tsv", "p.2024.parquet", "e.xlsx", "z.csv.gz", "l.jsonl.zst"):
        (folder / "q").mkdir(exist_ok=True)
        (folder / "q" / name).touch()
    files = find_files(["q"])
    found = [output.name for output in destination("out/").outputs(files)]
    assert found == ["out/e.csv", "out/l.csv", "out/p.2024.parquet", "out/t.csv", "out/z.csv.gz"]
    found = [output.name for output in destination("out/", ".arrow").outputs(files)]
    assert found == ["out/e.arrow", "out/l.arrow", "out/p.2024.arrow", "out/t.arrow", "out/z.arrow"]


def test_outputs_of_one_name_and_inputs_are_not_overwritten(folder: Path) -> None:
    (folder / "data" / "a.tsv").write_text("x\n1\n")
    with pytest.raises(InvalidInput, match=r"one name for the outputs of data/a\.csv and data/a\.tsv"):
        destination("out/").outputs(find_files(["data"]))
    with pytest.raises(InvalidInput, match=r"data/b\.csv is a file that is read"):
        destination("data").outputs(find_files(["data/b.csv"]))
    with pytest.raises(InvalidInput, match="is one file, for 2 inputs"):
        destination("out.csv").outputs(find_files(["data/*.csv"]))


@pytest.mark.parametrize("name", ["pipe", "link", "/dev/null"])
def test_pipes_and_devices_are_not_replaced(folder: Path, name: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("pipe")
    with pytest.raises(InvalidInput, match=rf"--out: {name} is a pipe or a device\. Name a file\.$"):
        destination(name)


def test_an_error_while_writing_leaves_no_file(folder: Path) -> None:
    to = destination("out/")
    with pytest.raises(ZeroDivisionError), open_whole(to.location.child("a.csv"), to.scratch) as file:
        file.write(b"half" * (1 // len(to.location.path[:0])))
    to.remove_scratch()
    assert list((folder / "out").iterdir()) == []


def test_a_file_is_replaced_when_the_new_one_is_complete(folder: Path) -> None:
    to = destination("out.csv")
    Path("out.csv").write_text("old")
    with open_whole(to.location, to.scratch) as file:
        file.write(b"new")
        assert Path("out.csv").read_text() == "old"
    assert Path("out.csv").read_text() == "new"
    to.remove_scratch()
    assert not (folder / ".out.csv.gdssm-run").exists()


def test_other_file_systems_are_written_and_read(folder: Path) -> None:
    inside = fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())
    to = OutputPlace(Location(inside, "bucket/out", "mock://bucket/out"), is_directory=True)
    assert to.scratch.is_remote
    assert to.run_directory.parent != folder
    with open_whole(to.location.child("a/b.csv"), to.scratch) as file:
        file.write(b"x")
    to.remove_scratch()
    assert [str(path.relative_to(folder)) for path in (folder / "bucket").rglob("*.csv")] == ["bucket/out/a/b.csv"]
    assert not (folder / "bucket/out/.gdssm-run").exists()


def test_a_uri_with_options_is_a_directory_by_its_path() -> None:
    to = destination("s3://user:secret@bucket/out/?endpoint_override=localhost:1&scheme=http")
    assert to.is_directory
    assert to.location.name == "s3://bucket/out/"
    assert to.location.child("a.csv").path == "bucket/out/a.csv"
