"""The zoo, exported once for each version of its sources."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import grimp

from export.to_onnx import producers
from export.trained import RUNS
from export.write import export
from export.zoo import Entry
from tests.running import ROOT

EXPORTS = ROOT / ".bench/exports"
"""The exports of the two models with features take about 70 s of processor time each."""
Make = Callable[[Entry], Path]


def exporter(temporary: Path) -> Make:
    """Make a function that exports an entry, unless the same sources and libraries have exported it before.

    Args:
        temporary: An empty directory to write in.
    """
    directory = EXPORTS / sources_digest()
    for other in EXPORTS.glob("*"):
        if other != directory:
            shutil.rmtree(other, ignore_errors=True)

    def make(entry: Entry) -> Path:
        path = directory / entry.file
        if not path.exists():
            new = export(entry, temporary)
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copy(new, path.with_suffix(".new"))
            path.with_suffix(".new").rename(path)
        return path

    return make


def sources_digest() -> str:
    """Hash what an export depends on: the modules that it imports, trained weights, and versions of libraries."""
    graph = grimp.build_graph("export", "gdssm", "service", cache_dir=None)
    modules = sorted({"export.write", *graph.find_upstream_modules("export.write")})
    digest = hashlib.sha256(repr(producers()).encode())
    for path in (*map(_file, modules), *sorted(path for path in RUNS.rglob("*") if path.is_file())):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
