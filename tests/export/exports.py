"""The zoo, exported; each model is traced once for each version of the sources of its trace."""

import hashlib
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import grimp
import onnx

from export import write
from export.graph import Graph
from export.to_onnx import producers, trace
from export.trained import RUNS
from export.zoo import Entry
from tests.running import ROOT

TRACES = ROOT / ".bench/traces"
"""The traces of the two models with features take about 70 s of processor time each."""
TRACED = ("export.to_onnx", "export.zoo")
"""The modules that make a trace; those that write and verify the file come after it, and run each time."""
Make = Callable[[Entry], Path]


def exporter(temporary: Path) -> Make:
    """Make a function that exports an entry, with the trace of an earlier run if sources and libraries are the same.

    Args:
        temporary: An empty directory to write in.
    """
    directory = TRACES / sources_digest()
    for other in TRACES.glob("*"):
        if other != directory:
            shutil.rmtree(other, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)

    def make(entry: Entry) -> Path:
        path = temporary / entry.file
        if not path.exists():
            with patch.object(write, "trace", partial(_traced, directory / entry.file)):
                write.export(entry, temporary)
        return path

    return make


def _traced(path: Path, graph: Graph) -> onnx.ModelProto:
    if not path.exists():
        new = path.with_suffix(".new")
        onnx.save(trace(graph), new)
        new.rename(path)
    return onnx.load(path)


def sources_digest() -> str:
    """Hash what a trace depends on: the modules that it imports, trained weights, and versions of libraries."""
    imports = grimp.build_graph("export", "gdssm", "service", cache_dir=None)
    modules = {*TRACED, *(module for root in TRACED for module in imports.find_upstream_modules(root))}
    modules.remove("service.errors")  # a trace has no message
    digest = hashlib.sha256(repr(producers()).encode())
    for path in (*map(_file, sorted(modules)), *sorted(path for path in RUNS.rglob("*") if path.is_file())):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
