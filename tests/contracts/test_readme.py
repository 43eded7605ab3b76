"""The README is run as it is printed: its curl, its Python, its command line and its links."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import PREFIX, Settings
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.running import ROOT, Server, running

README = (ROOT / "README.md").read_text()
ROOMS = "benchmarks deploy export gdssm gdssm/evaluation/tables service service/client service/web tests"
PAGES = [ROOT / "README.md", *(ROOT / room / "README.md" for room in ROOMS.split())]
LINKS = [
    (str(page.relative_to(ROOT)), link)
    for page in PAGES
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text())
]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    """Name the headings and marks of a page as a link does."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    names = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    return names | {*re.findall(r'<a id="([^"]+)">', text)}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def block_after(start: str) -> tuple[str, str]:
    """Find the block that contains a text, and the one after it, which holds what it prints."""
    index = next(i for i, (_, text) in enumerate(BLOCKS) if start in text)
    return BLOCKS[index][1], BLOCKS[index + 1][1]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_answers_as_printed(server: Server) -> None:
    command, printed = block_after("curl")
    answer = json.loads(run("bash", "-c", command.replace("http://127.0.0.1:8000", server.url)))
    expected = json.loads(printed)
    assert_close(answer.pop("prediction"), expected.pop("prediction"), "prediction", rtol=1e-9)
    for side in ("lower", "upper"):
        assert_close(answer["interval"].pop(side), expected["interval"].pop(side), side, rtol=1e-9)
    assert answer == expected


def test_a_context_on_the_server_answers_as_printed(server: Server) -> None:
    commands, printed = block_after("/observations")
    answer = run("bash", "-c", commands.replace("http://127.0.0.1:8000", server.url))
    expected = json.loads(f"{{{printed}}}")["prediction"]
    assert_close(json.loads(f"{{{answer}}}")["prediction"], expected, "prediction", rtol=1e-9)


def test_the_python_prints_what_it_says(server: Server) -> None:
    code, printed = block_after("import Client")
    answer = run(sys.executable, "-W", "error", "-c", code.replace("http://127.0.0.1:8000", server.url))
    for line, expected in zip(answer.splitlines(), printed.splitlines(), strict=True):
        assert_close(json.loads(line), json.loads(expected), "prediction", rtol=1e-9)


def test_the_command_line_runs_without_a_server(tmp_path: Path) -> None:
    command = next(text for _, text in BLOCKS if "--target" in text)
    (tmp_path / "observed.csv").write_text("size,rooms,price\n50,2,100\n70,3,140\n90,3,180\n")
    (tmp_path / "wanted.csv").write_text("rooms,size\n2,60\n")
    for name in ("observed.csv", "wanted.csv"):
        command = command.replace(name, str(tmp_path / name))
    header, prediction = run(sys.executable, *command.split()[1:]).split()
    assert header == "price"
    assert 100 < float(prediction) < 140


def test_the_evaluation_runs_against_a_server(server: Server, tmp_path: Path) -> None:
    command = next(text for _, text in BLOCKS if "gdssm eval" in text)
    command = command.replace("http://127.0.0.1:8000", server.url).replace("--out results", f"--out {tmp_path}")
    run(sys.executable, "-m", "service", *shlex.split(command)[1:], "--tasks", "20", "--curve", "5")
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".md", ".svg"}


def test_the_two_commands_exist() -> None:
    commands, _ = block_after("make serve")
    for command in re.findall(r"^make \w+", commands, re.MULTILINE):
        run(*command.split(), "--dry-run")


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_somewhere(page: str, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    assert not anchor or anchor in anchors_of(target)


def test_every_setting_is_in_the_readme_of_the_service() -> None:
    text = (ROOT / "service" / "README.md").read_text()
    for name in nonempty(Settings.model_fields):
        assert f"`{PREFIX}{name.upper()}`" in text, name


def test_the_table_of_trained_models_is_that_of_their_records() -> None:
    text = (ROOT / "gdssm" / "README.md").read_text()
    records = {
        path.parent.name: json.loads(path.read_text()) for path in (ROOT / "gdssm" / "runs").glob("*/record.json")
    }
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    rows = {cells[0].strip("` "): cells[1:] for cells in lines}
    for name, record in nonempty(records.items()):
        loss, reference, *_ = rows[name]
        assert float(loss) == pytest.approx(record["metrics"]["loss"], rel=5e-3), name
        if "reference_loss" in record["metrics"]:
            assert float(reference) == pytest.approx(record["metrics"]["reference_loss"], rel=5e-4), name
