"""Commands of gdssm on a Ray cluster, by plain tasks or by Ray Data, in the environment of Ray.

`python -m benchmarks.ray_engines ENGINE FOLDER ARGUMENTS` takes the arguments of gdssm. It writes the order of the
results, and the peak memory of each worker, to a folder.
"""

import json
import logging
import os
import pickle
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple

from service import cli
from service.datasets import ray_engine
from service.datasets.engine import AnyTask
from service.datasets.ray_engine import RayEngine

TASKS, DATA, ORDERED = "plain tasks", "Ray Data", "Ray Data, preserve_order"
ENGINES = (TASKS, DATA, ORDERED)


@dataclass(frozen=True)
class Noted(Generic[AnyTask]):
    """A work that notes the peak memory of its process."""

    work: Callable[[AnyTask], bytes]
    folder: Path

    def __call__(self, task: AnyTask) -> bytes:
        """Do the work."""
        result = self.work(task)
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (self.folder / f"{os.getpid()}.worker").write_text(str(kilobytes), "ascii")
        return result


@dataclass(frozen=True)
class OnRow(Generic[AnyTask]):
    """A work on a row of Ray Data."""

    work: Callable[[AnyTask], bytes]

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Do the work for the task of a row."""
        return {"place": row["place"], "result": self.work(pickle.loads(row["task"]))}  # noqa: S301  (see `RayData`)


class RayData(RayEngine):
    """Runs tasks as rows of a Ray dataset, each a block: Ray Data submits them."""

    ordered = False

    def run(self, work: Callable[[AnyTask], bytes], tasks: Sequence[AnyTask]) -> Iterator[tuple[int, bytes]]:
        """Run a work for each task; see `Engine.run`."""
        import ray.data  # noqa: PLC0415  (as the engine, which sets its environment first)

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        context.execution_options.preserve_order = self.ordered
        rows = [{"place": place, "task": pickle.dumps(task)} for place, task in enumerate(tasks)]
        for row in ray.data.from_items(rows, override_num_blocks=len(rows)).map(OnRow(work)).iter_rows():
            yield row["place"], row["result"]


class OrderedRayData(RayData):
    """Ray Data that yields blocks in their order."""

    ordered = True


class Notes(NamedTuple):
    """Notes of one command."""

    out_of_order: int
    """Results that came after one of a later task."""
    results: int
    megabytes: float
    """Peak memory of the largest worker."""

    @classmethod
    def read(cls, folder: Path) -> "Notes":
        """Read the notes of a command."""
        stages = json.loads((folder / "order").read_text("ascii"))
        late = sum(place < max(places[:number]) for places in stages for number, place in enumerate(places) if number)
        workers = [int(file.read_text("ascii")) for file in folder.glob("*.worker")]
        return cls(late, sum(map(len, stages)), max(workers) / 1000)


def noting(engine: type[RayEngine], folder: Path) -> type[RayEngine]:
    """Make an engine that notes."""
    stages = list[list[int]]()

    class NotingEngine(engine):  # type: ignore[misc, valid-type]  # a class that is an argument
        def run(self, work: Callable[[AnyTask], bytes], tasks: Sequence[AnyTask]) -> Iterator[tuple[int, bytes]]:
            places = list[int]()
            stages.append(places)
            for place, result in super().run(Noted(work, folder), tasks):
                places.append(place)
                yield place, result
            (folder / "order").write_text(json.dumps(stages), "ascii")

    return NotingEngine


if __name__ == "__main__":
    name, notes, *arguments = sys.argv[1:]
    classes = dict(zip(ENGINES, (RayEngine, RayData, OrderedRayData), strict=True))
    ray_engine.RayEngine = noting(classes[name], Path(notes))  # type: ignore[misc]  # it replaces the one of `--ray`
    cli.main(arguments)
