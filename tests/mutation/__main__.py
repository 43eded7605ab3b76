"""Try mutants of critical modules on a copy of the tree, except those that the tests noticed in an earlier run."""

import argparse
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.testing import run_tests
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkItem, WorkResult

from tests.mutation.modules import MODULES, ROOT, equivalents
from tests.mutation.sample import sample

WORK = ROOT / ".bench/mutants"
PYTHON = ROOT / ".venv-dev/bin/python"
SLOWDOWN = 4
"""How much longer than without a mutation the tests of a module may take, in addition to half a minute."""


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="paths from the root; all of them if left out")
    parser.add_argument("--size", type=int, default=10, help="mutants of each module")
    options = parser.parse_args()
    os.nice(15)
    tree = copy_tree()
    os.chdir(tree)
    os.environ.update(PYTHONPATH=str(tree), OMP_NUM_THREADS="1", HYPOTHESIS_STORAGE_DIRECTORY=str(WORK / "hypothesis"))
    lines = [f"{'module':34} killed survived equivalent"]
    total = [0, 0, 0]
    for modules in MODULES.values():
        for module, tests in modules.items():
            if module in (options.modules or [module]):
                counts = try_module(module, tests, options.size)
                total = [a + b for a, b in zip(total, counts, strict=True)]
                lines.append(f"{module:34} {counts[0]:6} {counts[1]:8} {counts[2]:10}")
    killed, survived, _ = total
    score = killed / max(killed + survived, 1)
    print(*lines, f"{'all':34} {total[0]:6} {total[1]:8} {total[2]:10}   score {score:.1%}", sep="\n")  # noqa: T201


def copy_tree() -> Path:
    """Copy the files of the project, again for each run; the tests run on the copy."""
    tree = WORK / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")):
        source, target = ROOT / name.decode(), tree / name.decode()
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return tree


def try_module(module: str, tests: tuple[str, ...], size: int) -> tuple[int, int, int]:
    """Try the mutants of one module; returns how many were killed, survived, and cannot be killed."""
    path = Path(module)
    command = f"{PYTHON} -m pytest -q -x -p no:cacheprovider {' '.join(tests)}"
    began = time.monotonic()
    outcome, output = run_tests(command, 600)
    if outcome != TestOutcome.SURVIVED:
        print(f"{module} is left out: its tests fail without a mutation.\n{output}", flush=True)  # noqa: T201
        return 0, 0, 0
    limit = 30 + SLOWDOWN * (time.monotonic() - began)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    counts = {"killed": 0, "survived": 0, "equivalent": 0}
    with use_db(WORK / f"{module.replace('/', '.')}-{digest}.sqlite") as database:
        chosen, known = sample(path, database, size), dict(database.results)
        for item in chosen:
            result = known.get(item.job_id)
            if result is None or not result.is_killed:
                result = try_mutant(database, item, command, limit)
            outcome = "killed" if result.is_killed else "equivalent" if is_equivalent(module, result) else "survived"
            counts[outcome] += 1
            if outcome == "survived":
                print(result.diff, flush=True)  # noqa: T201
    print(module, counts, f"{time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return counts["killed"], counts["survived"], counts["equivalent"]


def try_mutant(database: WorkDB, item: WorkItem, command: str, limit: float) -> WorkResult:
    """Try one mutant, and store its result."""
    result = mutate_and_test(item.mutations, command, limit)
    database.set_result(item.job_id, result)
    return result


def is_equivalent(module: str, result: WorkResult) -> bool:
    """Look a mutant up in the list of those that behave as the original does."""
    lines = (result.diff or "").splitlines()
    original, mutant = (
        " ".join(line[1:].strip() for line in lines if line[:1] == sign and line[:3] != sign * 3).strip()
        for sign in "-+"
    )
    return (module, original, mutant) in {(entry.module, entry.original, entry.mutant) for entry in equivalents()}


if __name__ == "__main__":
    main()
