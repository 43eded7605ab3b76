"""Files of a model directory: each is read, or refused with a reason, without blocking."""

import os
import socket
from pathlib import Path

import pytest

from service.errors import BrokenArtifact
from service.registry import model_file
from service.registry.repository import Repository


def test_hidden_and_temporary_files_are_ignored(tmp_path: Path) -> None:
    for name in (".hidden.onnx", "b.onnx", "a.onnx", "a.onnx.part", "a.onnx~", "#a.onnx#", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in model_file.list_files(tmp_path)] == ["a.onnx", "b.onnx"]


def test_named_pipe_is_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(BrokenArtifact, match="not a regular file"):
        model_file.read(tmp_path / "pipe.onnx")


def test_a_directory_and_a_socket_are_refused(tmp_path: Path) -> None:
    (tmp_path / "directory.onnx").mkdir()
    with pytest.raises(BrokenArtifact, match=r"not a regular file|cannot be read"):
        model_file.read(tmp_path / "directory.onnx")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.onnx"))
        with pytest.raises(BrokenArtifact, match="cannot be read"):
            model_file.read(tmp_path / "socket.onnx")


def test_a_link_that_leads_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "models"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    for target in ("../secret", "/dev/zero", "/etc/hostname"):
        link = inside / "link.onnx"
        link.symlink_to(target)
        with pytest.raises(BrokenArtifact, match="leads out of the directory"):
            model_file.read(link)
        link.unlink()


@pytest.mark.parametrize("target", ["nowhere", "loop.onnx"])
def test_broken_link_is_refused(tmp_path: Path, target: str) -> None:
    link = tmp_path / "loop.onnx"
    link.symlink_to(target)
    model_file.stamp_of(link)
    with pytest.raises(BrokenArtifact, match="cannot be read"):
        model_file.read(link)


def test_links_within_the_directory_are_followed_as_in_a_mounted_config_map(tmp_path: Path) -> None:
    for content in ("old", "new"):
        (tmp_path / f"..{content}").mkdir()
        (tmp_path / f"..{content}" / "model.onnx").write_text(content)
    (tmp_path / "..data").symlink_to("..old")
    (tmp_path / "model.onnx").symlink_to("..data/model.onnx")
    before = model_file.stamp_of(tmp_path / "model.onnx")
    assert model_file.read(tmp_path / "model.onnx") == b"old"
    (tmp_path / "..swap").symlink_to("..new")
    (tmp_path / "..swap").rename(tmp_path / "..data")
    assert model_file.stamp_of(tmp_path / "model.onnx") != before
    assert model_file.read(tmp_path / "model.onnx") == b"new"


def test_a_file_that_is_too_large_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(
        BrokenArtifact, match=f"has {2**40} bytes; a model file has at most {model_file.FILE_SIZE_LIMIT}"
    ):
        model_file.read(tmp_path / "huge.onnx")


def test_a_file_may_be_as_large_as_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "exact.onnx"
    path.write_bytes(b"1234567")
    assert model_file.read(path, limit=7) == b"1234567"
    with pytest.raises(BrokenArtifact, match="has 7 bytes"):
        model_file.read(path, limit=6)


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "private.onnx").touch()
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BrokenArtifact, match=r"cannot be read \(Permission denied\)"):
        model_file.read(tmp_path / "private.onnx")


def test_directory_of_invalid_files_is_reported(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "directory.onnx").mkdir()
    (tmp_path / "loop.onnx").symlink_to("loop.onnx")
    (tmp_path / "out.onnx").symlink_to("/etc/hostname")
    (tmp_path / "empty.onnx").touch()
    repository = Repository.load([tmp_path], threads=1)
    assert set(repository.refused) == {"pipe.onnx", "directory.onnx", "loop.onnx", "out.onnx", "empty.onnx"}
    assert all(reason.startswith(f"{name}: ") for name, reason in repository.refused.items())
