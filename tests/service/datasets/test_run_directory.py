"""Results on disk: an interrupted run continues."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.datasets.engine import AnyTask, LocalEngine
from service.datasets.run import DatasetRun
from service.datasets.run_directory import RunDirectory, fingerprint_of
from service.errors import Conflict, InvalidInput, NotReady


@dataclass(frozen=True)
class Letter:
    text: str
    size: int = 2


TASKS = [Letter(text) for text in "abcdefg"]


class Counting:
    """A work that counts its calls, and fails at some letters."""

    def __init__(self, *bad: str) -> None:
        self.bad, self.calls = bad, list[str]()

    def __call__(self, task: Letter) -> bytes:
        self.calls.append(task.text)
        if task.text in self.bad:
            raise NotReady(task.text)
        return task.text.upper().encode()


def run(path: Path, work: Callable[[Letter], bytes], fingerprint: str = "1") -> list[bytes]:
    with RunDirectory.opened(path, fingerprint) as directory:
        return list(DatasetRun(LocalEngine(), directory, lambda *_: None).results("letters", work, TASKS))


def test_results_come_in_the_order_of_the_tasks(tmp_path: Path) -> None:
    class Backwards(LocalEngine):
        def run(self, work: Callable[[AnyTask], bytes], tasks: Sequence[AnyTask]) -> Iterator[tuple[int, bytes]]:
            return iter([*super().run(work, tasks)][::-1])

    with RunDirectory.opened(tmp_path / "run", "1") as directory:
        found = list(DatasetRun(Backwards(), directory, lambda *_: None).results("letters", Counting(), TASKS))
    assert b"".join(found) == b"ABCDEFG"


def test_finished_tasks_are_not_run_again(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        run(tmp_path / "run", Counting("d"))
    again = Counting()
    assert b"".join(run(tmp_path / "run", again)) == b"ABCDEFG"
    assert again.calls == list("defg")


def test_the_directory_is_gone_after_a_run(tmp_path: Path) -> None:
    run(tmp_path / "run", Counting())
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_results_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        run(tmp_path / "run", Counting("a"))
    assert list(tmp_path.iterdir()) == []


def test_other_files_or_options_begin_again(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        run(tmp_path / "run", Counting("d"))
    again = Counting()
    run(tmp_path / "run", again, fingerprint="2")
    assert again.calls == list("abcdefg")


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 40])
def test_a_damaged_result_is_made_again(tmp_path: Path, damage: bytes) -> None:
    with pytest.raises(NotReady):
        run(tmp_path / "run", Counting("d"))
    (tmp_path / "run" / "letters" / "1").write_bytes(damage)
    again = Counting()
    assert b"".join(run(tmp_path / "run", again)) == b"ABCDEFG"
    assert again.calls == list("bdefg")


def test_two_runs_cannot_write_one_output(tmp_path: Path) -> None:
    with RunDirectory.opened(tmp_path / "run", "1"), pytest.raises(Conflict, match="Another run writes this output"):
        run(tmp_path / "run", Counting())


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="cannot be written"):
        run(tmp_path / "file" / "run", Counting())


def test_progress_goes_from_the_kept_part_to_the_whole(tmp_path: Path) -> None:
    parts = list[float]()
    with RunDirectory.opened(tmp_path / "run", "1") as directory:
        for place in range(3):
            directory.keep("letters", place, b"")
        work = DatasetRun(LocalEngine(), directory, lambda _, part: parts.append(part))
        list(work.results("letters", Counting(), TASKS))
    assert parts == [(3 + count) / 7 for count in range(1, 5)]


def test_fingerprints_differ_with_any_value() -> None:
    assert len({fingerprint_of(values) for values in ({}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": [1, None]})}) == 5
