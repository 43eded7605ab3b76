"""Models by name and version, while files are added, changed and removed."""

import logging
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from service.errors import DatabaseUnavailable, NotReady, UnknownModel
from service.registry import directories, model_file
from service.registry import repository as module
from service.registry.database_disabled_models import DatabaseDisabledModels
from service.registry.disabled_models import InMemoryDisabledModels
from service.registry.repository import ModelEvent, Repository
from service.settings import Settings
from service.store.database import Database
from tests.nonempty import nonempty
from tests.service.forged import answering, forged, shipped

ZOO = Settings().zoo
QUESTION = {"x": np.ones((1, 3, 2)), "y": np.ones((1, 3, 1)), "x_query": np.ones((1, 1, 2))}


def names(repository: Repository) -> set[str]:
    return {runtime.manifest.name for runtime in repository.served()}


def versions(repository: Repository) -> list[str]:
    return [runtime.manifest.version for runtime in repository.served()]


def answer(repository: Repository) -> float:
    """Ask gd-1: the honest model says 1, one that is `answering` with an offset 1 + offset."""
    return float(repository.get("gd-1").run(QUESTION)["prediction"][0, 0, 0])


def put(path: Path, content: bytes) -> None:
    """Replace a file atomically."""
    path.with_suffix(".part").write_bytes(content)
    path.with_suffix(".part").rename(path)


@pytest.mark.slow
def test_the_shipped_models_load() -> None:
    repository = Repository.load([ZOO], threads=1)
    assert names(repository) >= {"gd-1", "gd-8", "linear"}
    assert repository.refused == {}
    assert repository.get("linear").manifest.name == "linear"


@pytest.mark.slow
def test_one_model_is_loaded_alone_and_without_it_all_are() -> None:
    assert names(Repository.load_one([ZOO], threads=1, name="gd-8")) == {"gd-8"}
    without = Repository.load_one([ZOO], threads=1, name="gd-9\udcff")
    assert names(without) == names(Repository.load([ZOO], threads=1))


def test_a_broken_file_is_refused_with_its_reason_and_the_others_are_served(tmp_path: Path) -> None:
    shutil.copy(ZOO / "gd-1.onnx", tmp_path)
    (tmp_path / "noise.onnx").write_bytes(b"not a graph")
    (tmp_path / "cut.onnx").write_bytes((ZOO / "linear.onnx").read_bytes()[:-100])
    repository = Repository.load([tmp_path], threads=1)
    assert names(repository) == {"gd-1"}
    assert set(repository.refused) == {"noise.onnx", "cut.onnx"}
    assert repository.refused["noise.onnx"].startswith("noise.onnx: it has no manifest")


def test_two_files_of_one_name_are_not_both_served(tmp_path: Path) -> None:
    shutil.copy(ZOO / "gd-1.onnx", tmp_path / "a.onnx")
    shutil.copy(ZOO / "gd-1.onnx", tmp_path / "b.onnx")
    repository = Repository.load([tmp_path], threads=1)
    assert names(repository) == {"gd-1"}
    assert "another file has a model 'gd-1' of version 1.0.0" in repository.refused["b.onnx"]


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    file = (ZOO / "gd-1.onnx").read_bytes()
    (tmp_path / "gd-1.onnx").write_bytes(file.replace(b'"gradient_steps":1', b'"gradient_steps":2'))
    assert "does not match its hash" in Repository.load([tmp_path], threads=1).refused["gd-1.onnx"]


@pytest.mark.parametrize("directory", ["", "is/not/there"])
def test_without_a_model_nothing_is_ready(tmp_path: Path, directory: str) -> None:
    repository = Repository.load([tmp_path / directory], threads=1)
    with pytest.raises(NotReady, match="No model is loaded"):
        repository.get("linear")


def test_unknown_model_error_lists_the_models(repository: Repository) -> None:
    with pytest.raises(UnknownModel, match=r"no model 'cubic'\. Choose one of: classifier, gd-1, gd-8, linear"):
        repository.get("cubic")


def test_unknown_version_error_lists_the_versions(repository: Repository) -> None:
    message = r"no version '9\.0\.0' of model 'linear'\. Choose one of: 2\.0\.0, 1\.0\.0\."
    with pytest.raises(UnknownModel, match=message):
        repository.get("linear", "9.0.0")


def test_the_highest_version_answers_and_the_others_are_there_by_name(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "0.20.0"):
        forged(tmp_path / f"{version}.onnx", version=version)
    repository = Repository.load([tmp_path], threads=1)
    assert versions(repository) == ["1.10.0", "1.9.0", "0.20.0"]
    assert repository.get("gd-1").manifest.version == "1.10.0"
    assert repository.get("gd-1", "1.9.0").manifest.version == "1.9.0"


def test_files_are_added_changed_and_removed(tmp_path: Path) -> None:
    repository = Repository.load([tmp_path], threads=1)
    path = tmp_path / "model.onnx"
    put(path, shipped())
    repository.rescan()
    assert answer(repository) == pytest.approx(1)
    put(path, answering(tmp_path / "next", 41.0))
    repository.rescan()
    assert answer(repository) == pytest.approx(42)
    path.unlink()
    repository.rescan()
    assert repository.served() == []


@pytest.mark.parametrize("broken", [b"", b"half", shipped()[:-1], shipped()[: len(shipped()) // 2]])
def test_old_model_is_served_while_the_new_file_is_broken(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "model.onnx"
    put(path, shipped())
    repository = Repository.load([tmp_path], threads=1)
    put(path, broken)
    repository.rescan()
    assert answer(repository) == pytest.approx(1)
    assert repository.refused["model.onnx"].startswith("model.onnx: ")
    put(path, answering(tmp_path / "next", 41.0))
    repository.rescan()
    assert answer(repository) == pytest.approx(42)
    assert repository.refused == {}


def test_restored_file_has_no_error(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    put(path, shipped())
    repository = Repository.load([tmp_path], threads=1)
    before = repository.get("gd-1")
    for content in (b"broken", shipped()):
        put(path, content)
        repository.rescan()
    assert repository.get("gd-1") is before
    assert repository.refused == {}


def test_removed_file_removes_its_model_even_if_broken(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    put(path, shipped())
    repository = Repository.load([tmp_path], threads=1)
    put(path, b"broken")
    repository.rescan()
    path.unlink()
    repository.rescan()
    assert repository.served() == []
    assert repository.refused == {}


def test_slowly_copied_file_is_loaded_when_complete(tmp_path: Path) -> None:
    repository = Repository.load([tmp_path], threads=1)
    content, path = shipped(), tmp_path / "model.onnx"
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), len(content) // 7):
            file.write(content[start : start + len(content) // 7])
            repository.rescan()
    repository.rescan()
    assert answer(repository) == pytest.approx(1)
    assert repository.refused == {}


def test_change_without_a_new_stamp_is_found_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writes within the resolution of the clock: the scan reads the first one, which is broken."""
    path, content = tmp_path / "model.onnx", bytearray(shipped())
    content[100] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(model_file, "stamp_of", lambda path: (path.stat().st_size,))
    repository = Repository.load([tmp_path], threads=1)
    path.write_bytes(shipped())
    repository.rescan()
    assert "model.onnx" in repository.refused
    monkeypatch.setattr(directories, "STAMP_RESOLUTION", 0.0)
    repository.rescan()
    assert repository.refused == {}
    assert answer(repository) == pytest.approx(1)


def test_unchanged_file_is_read_at_most_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "model.onnx", shipped())
    read: list[Path] = []
    original = model_file.read

    def count(path: Path) -> bytes:
        read.append(path)
        return original(path)

    monkeypatch.setattr(model_file, "read", count)
    monkeypatch.setattr(directories, "STAMP_RESOLUTION", 0.0)
    repository = Repository.load([tmp_path], threads=1)
    runtime = repository.get("gd-1")
    for _ in range(5):
        repository.rescan()
    assert len(read) == 2
    assert repository.get("gd-1") is runtime


def test_duplicate_is_served_when_the_first_file_is_removed(tmp_path: Path) -> None:
    put(tmp_path / "b.onnx", shipped())
    repository = Repository.load([tmp_path], threads=1)
    put(tmp_path / "a.onnx", shipped())
    repository.rescan()
    assert list(repository.refused) == ["a.onnx"], "the file that was there first keeps its model"
    (tmp_path / "b.onnx").unlink()
    repository.rescan()
    assert names(repository) == {"gd-1"}
    assert repository.refused == {}


def test_file_that_becomes_a_duplicate_does_not_replace_the_first(tmp_path: Path) -> None:
    put(tmp_path / "a.onnx", forged(tmp_path / "next", version="2.0.0"))
    put(tmp_path / "b.onnx", shipped())
    repository = Repository.load([tmp_path], threads=1)
    kept = repository.get("gd-1", "1.0.0")
    put(tmp_path / "a.onnx", shipped())
    repository.rescan()
    assert repository.get("gd-1", "1.0.0") is kept
    assert list(repository.refused) == ["a.onnx"]


@pytest.mark.slow
def test_models_of_both_directories_are_served(tmp_path: Path) -> None:
    forged(tmp_path / "mine.onnx", name="mine")
    repository = Repository.load([ZOO, tmp_path], threads=1)
    assert names(repository) >= {"gd-1", "linear", "mine"}


@pytest.mark.slow
def test_only_untrusted_files_are_loaded_in_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []
    monkeypatch.setattr(directories, "load_in_sandbox", tried.append)
    content = forged(tmp_path / "mine.onnx", name="mine")
    Repository.load([ZOO, tmp_path], threads=1)
    assert tried == [content]


@pytest.mark.slow
def test_sandboxes_run_in_parallel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(5)
    monkeypatch.setattr(directories, "load_in_sandbox", lambda _: together.wait(20))
    for name in "abcde":
        forged(tmp_path / f"{name}.onnx", name=name)
    assert names(Repository.load([ZOO, tmp_path], threads=1)) >= set("abcde")


def test_first_of_two_files_of_a_model_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (answering(tmp_path / f"{name}.onnx", offset) for name, offset in (("a", 1.0), ("b", 2.0)))
    ended = threading.Event()
    monkeypatch.setattr(
        directories, "load_in_sandbox", lambda content: ended.set() if content == second else ended.wait(20)
    )
    repository = Repository.load([tmp_path / "none", tmp_path], threads=1)
    assert answer(repository) == pytest.approx(2)
    assert first != second


def test_start_waits_for_sandboxes_for_a_limited_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr(module, "FIRST_SCAN_TIMEOUT", 2.0)
    monkeypatch.setattr(directories, "load_in_sandbox", lambda _: end.wait(20))
    forged(tmp_path / "mine.onnx", name="mine")
    zoo = tmp_path / "zoo"
    zoo.mkdir()
    shutil.copy(ZOO / "gd-1.onnx", zoo)
    repository = Repository.load([zoo, tmp_path], threads=1)
    assert names(repository) == {"gd-1"}
    end.set()
    repository.rescan()  # waits for the running scan
    assert names(repository) == {"gd-1", "mine"}


def test_models_of_an_unreadable_directory_are_kept(tmp_path: Path) -> None:
    mounted, away = tmp_path / "models", tmp_path / "away"
    mounted.mkdir()
    put(mounted / "model.onnx", shipped())
    repository = Repository.load([mounted], threads=1)
    mounted.rename(away)
    repository.rescan()
    assert answer(repository) == pytest.approx(1)
    assert "cannot be read (No such file or directory)" in repository.refused["models"]
    away.rename(mounted)
    repository.rescan()
    assert repository.refused == {}


@pytest.mark.slow
def test_requests_in_flight_finish_on_the_old_model_and_new_ones_get_the_new(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    contents = [shipped(), answering(tmp_path / "next", 41.0)]
    put(path, contents[0])
    repository = Repository.load([tmp_path], threads=1)
    in_flight, done = repository.get("gd-1"), threading.Event()

    def ask() -> set[float]:
        answers = set()
        while not done.is_set():
            answers.add(round(answer(repository), 6))
        return answers

    with ThreadPoolExecutor(4) as callers:
        asking = [callers.submit(ask) for _ in range(4)]
        for content in nonempty(islice(cycle(contents[::-1]), 9)):
            put(path, content)
            repository.rescan()
            assert answer(repository) == pytest.approx(1 if content is contents[0] else 42)
        done.set()
    assert set.union(*(caller.result() for caller in asking)) == {1.0, 42.0}
    assert float(in_flight.run(QUESTION)["prediction"][0, 0, 0]) == pytest.approx(1)


def test_events_are_reported_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service.registry.repository")
    events: list[ModelEvent] = []
    path = tmp_path / "model.onnx"
    put(path, shipped())
    repository = Repository.load([tmp_path], threads=1, on_event=events.append)
    put(path, b"broken")
    repository.rescan()
    put(path, answering(tmp_path / "next", 41.0))
    repository.rescan()
    path.unlink()
    repository.rescan()
    assert [event.kind for event in events] == ["loaded", "refused", "loaded", "removed"]
    assert [event.model for event in events] == ["gd-1 1.0.0", "model.onnx", "gd-1 1.0.0", "gd-1 1.0.0"]
    assert "model.onnx: it has no manifest" in events[1].reason
    assert len(caplog.messages) == 4


def test_an_unloaded_model_is_not_served_until_it_is_loaded_again(tmp_path: Path) -> None:
    for version in ("1.0.0", "2.0.0"):
        forged(tmp_path / f"{version}.onnx", version=version)
    repository = Repository.load([tmp_path], threads=1)
    repository.unload_model("gd-1", "2.0.0")
    assert versions(repository) == ["1.0.0"]
    states = {entry.version: (entry.state, bool(entry.reason)) for entry in repository.index()}
    assert states == {"1.0.0": ("READY", False), "2.0.0": ("UNAVAILABLE", True)}
    repository.unload_model("gd-1")
    assert versions(repository) == []
    repository.load_model("gd-1")
    assert versions(repository) == ["2.0.0", "1.0.0"]


def test_the_index_lists_refused_files_with_their_reasons(tmp_path: Path) -> None:
    put(tmp_path / "noise.onnx", b"not a graph")
    (entry,) = Repository.load([tmp_path], threads=1).index()
    assert (entry.name, entry.version, entry.state) == ("noise", "", "UNAVAILABLE")
    assert "it has no manifest" in entry.reason


@pytest.mark.parametrize("what", ["load_model", "unload_model"])
def test_model_without_a_file_can_neither_be_loaded_nor_unloaded(tmp_path: Path, what: str) -> None:
    put(tmp_path / "model.onnx", shipped())
    repository = Repository.load([tmp_path], threads=1)
    with pytest.raises(UnknownModel, match="no model 'cubic'"):
        getattr(repository, what)("cubic")
    with pytest.raises(UnknownModel):
        getattr(repository, what)("gd-1", "9.0.0")


def test_load_scans_for_new_files(tmp_path: Path) -> None:
    repository = Repository.load([tmp_path], threads=1)
    put(tmp_path / "model.onnx", shipped())
    repository.load_model("gd-1")
    assert names(repository) == {"gd-1"}


def test_disabled_models_are_shared_through_the_database(tmp_path: Path) -> None:
    put(tmp_path / "model.onnx", shipped())
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    one, other = (Repository.load([tmp_path], 1, DatabaseDisabledModels(database)) for _ in range(2))
    one.unload_model("gd-1")
    one.unload_model("gd-1")
    other.rescan()
    assert other.served() == []
    other.load_model("gd-1")
    one.rescan()
    assert names(one) == {"gd-1"}
    database.close()


def test_disabled_models_are_kept_while_the_database_is_unavailable(tmp_path: Path) -> None:
    class Away(InMemoryDisabledModels):
        away = False

        def read(self) -> frozenset[tuple[str, str]]:
            if self.away:
                raise DatabaseUnavailable
            return super().read()

    put(tmp_path / "model.onnx", shipped())
    disabled = Away()
    repository = Repository.load([tmp_path], 1, disabled)
    repository.unload_model("gd-1")
    disabled.away = True
    repository.rescan()
    assert repository.served() == []


def test_undecodable_file_names_are_reported(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.onnx"))).write_bytes(b"broken")
    (reason,) = Repository.load([tmp_path], threads=1).refused.values()
    assert reason.encode().startswith(b"?.onnx: ")
