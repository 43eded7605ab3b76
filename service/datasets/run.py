"""A run over splits: an engine, a directory of results, and a progress bar."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from service.datasets.engine import AnyTask, Engine
from service.datasets.run_directory import RunDirectory


@dataclass(frozen=True)
class DatasetRun:
    """Runs works one after the other."""

    engine: Engine
    directory: RunDirectory
    progress: Callable[[str, float], None]
    """Is called with the name of the stage, and the part of it that has passed, from 0 to 1."""

    def results(
        self,
        stage: str,
        work: Callable[[AnyTask], bytes],
        tasks: Sequence[AnyTask],
        is_there: Callable[[AnyTask], bool] | None = None,
    ) -> Iterator[bytes]:
        """Run the tasks that are not finished, then yield the results of all, in the order of the tasks.

        Args:
            stage: A name, one for each sequence of tasks.
            work: See `Engine.run`.
            tasks: See `Engine.run`.
            is_there: Says whether what a finished task has written elsewhere is still there.

        Raises:
            ServiceError: The work raised it for a task, or an engine failed; other results are kept.
        """
        whole, left, passed = max(1, sum(task.size for task in tasks)), list[int](), 0
        for place, task in enumerate(tasks):
            if self.directory.find(stage, place) is not None and (is_there is None or is_there(task)):
                passed += task.size
            else:
                left.append(place)
        for number, result in self.engine.run(work, [tasks[place] for place in left]):
            self.directory.keep(stage, left[number], result)
            passed += tasks[left[number]].size
            self.progress(stage, passed / whole)
        for place in range(len(tasks)):
            kept = self.directory.find(stage, place)
            assert kept is not None, "a result that was just kept"  # noqa: S101
            yield kept
