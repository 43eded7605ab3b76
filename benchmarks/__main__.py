"""`python -m benchmarks [NAMES]`: measure, write NAME.json, NAME.md and figures, and update README.md.

Without names every benchmark of the report runs, each in a separate process. With `--report` nothing is measured:
README.md is written again from the committed results, and the tables of those named are printed.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.results import RESULTS, Result, Skipped, update_readme, write

QUICK = Path(__file__).parents[1] / ".bench" / "quick"
"""Results of `--quick`; ignored by git."""
REPORTED: Mapping[str, str] = {
    "cost": "benchmarks.cost",
    "graph": "benchmarks.graph",
    "held_context": "benchmarks.stored_context:query",
    "stored_context": "benchmarks.stored_context",
    "many_contexts": "benchmarks.many_contexts",
    "hot_contexts": "benchmarks.hot_contexts",
    "serving": "benchmarks.serving.run",
    "start": "benchmarks.start",
    "batches": "benchmarks.batches",
    "ingest": "benchmarks.batches:ingest",
    "scale": "benchmarks.scale",
    "bulk": "benchmarks.bulk",
    "mixed_csv": "benchmarks.mixed_csv",
    "files": "benchmarks.files",
    "ray": "benchmarks.files:ray",
    "training": "benchmarks.training",
    "accuracy": "benchmarks.accuracy.run",
    "mixed_tables": "benchmarks.mixed_tables",
    "drift": "benchmarks.drift",
}
"""The module of each benchmark, in the order in which they run.

Its `run(quick)` returns a `Result`, or the function after the colon of a module with several benchmarks.
"""
FURTHER: Mapping[str, str] = {
    "profile": "benchmarks.serving.instructions:profile",
    "instructions": "benchmarks.serving.instructions",
    "infrastructure": "benchmarks.infrastructure",
    "files_passed": "benchmarks.infrastructure:files_passed",
    "evaluation_load": "benchmarks.evaluation_load",
    "convergence": "benchmarks.presets:convergence",
    "gpu": "benchmarks.gpu",
    "mad": "benchmarks.mad",
    "selection": "benchmarks.presets:selection",
}
"""Run only when named."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    names = (*REPORTED, *FURTHER)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--out", type=Path, help="directory of the results")
    parser.add_argument("--quick", action="store_true", help=f"smallest sizes, one round; results in {QUICK}")
    parser.add_argument("--report", action="store_true", help="measure nothing; report on the committed results")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"unknown benchmarks: {', '.join(sorted(unknown))}")
    options.out = options.out or (QUICK if options.quick else RESULTS)
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def run_one(name: str, out: Path, *, quick: bool) -> None:
    """Run a benchmark in this process and write its result; print the reason of one that this machine cannot run."""
    module, _, function = {**REPORTED, **FURTHER}[name].partition(":")
    run = getattr(import_module(module), function or "run")
    try:
        result = run(quick=quick)
    except Skipped as reason:
        print(f"{name} is skipped: {reason}", flush=True)
    else:
        write(out, name, result)


def run_all(names: Sequence[str], out: Path, *, quick: bool) -> list[str]:
    """Run each benchmark in a new process; one that fails leaves no older result. Return the names that failed."""
    failed = []
    for name in names:
        start = time.monotonic()
        command = [sys.executable, "-m", "benchmarks", name, "--out", str(out), *["--quick"] * quick]
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            failed.append(name)
            for suffix in ("json", "md"):
                (out / f"{name}.{suffix}").unlink(missing_ok=True)
        print(f"{name}: {time.monotonic() - start:.0f} s\n", flush=True)
    return failed


def main() -> None:
    """Run the benchmarks named, or all that are reported; or report on committed results."""
    options = parse()
    if options.report:
        update_readme()
        for name in options.names:
            print(Result.read(RESULTS / f"{name}.json").markdown())
        return
    if len(options.names) == 1:
        run_one(options.names[0], options.out, quick=options.quick)
        failed = []
    else:
        failed = run_all(options.names or list(REPORTED), options.out, quick=options.quick)
    if options.out == RESULTS:
        update_readme()
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
