"""The example files are written by their script, and the notebooks print what they show."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.test_documentation import assert_prints
from tests.nonempty import nonempty
from tests.running import ROOT

EXAMPLES = ROOT / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
RUN = """
import contextlib, io, json, sys
names, printed = {}, []
for cell in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(cell, names)
    printed.append(output.getvalue())
print(json.dumps(printed))
"""
"""Runs cells one after another, as Jupyter's kernel does, in one process."""


def test_the_notebooks_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["follow_a_stream", "predict_a_table"]


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_it_shows(notebook: Path) -> None:
    cells = [cell for cell in json.loads(notebook.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    sources = json.dumps(["".join(cell["source"]) for cell in cells])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        input=sources,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=EXAMPLES,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for cell, printed in zip(nonempty(cells), json.loads(done.stdout), strict=True):
        assert_prints(printed, "".join(text for output in cell["outputs"] for text in output["text"]))


@pytest.mark.slow
def test_the_files_are_those_of_the_script(tmp_path: Path) -> None:
    script = tmp_path / "write.py"
    script.write_text((EXAMPLES / "write.py").read_text(encoding="utf-8"), encoding="utf-8")
    runpy.run_path(str(script), run_name="__main__")
    for path in nonempty(sorted(EXAMPLES.glob("*.csv"))):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
