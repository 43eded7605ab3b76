"""Files of a dataset: found by path, directory, glob or URI, in any file system of pyarrow; needs pyarrow."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from pyarrow import ArrowInvalid, fs

from service.errors import InvalidInput, Problem
from service.tables.sources import Content, in_words, refuse

WILD = frozenset("*?[")
HIDDEN = (".", "_")
"""First characters of names that are left out of directories: _SUCCESS, .part, and files that are being written."""


@dataclass(frozen=True)
class Location:
    """A path in a file system."""

    filesystem: fs.FileSystem
    path: str
    name: str
    """In messages: as the caller wrote it, without a password."""

    @property
    def is_remote(self) -> bool:
        """Whether reading has the latency of a network."""
        return not isinstance(self.filesystem, fs.LocalFileSystem)

    def info(self) -> fs.FileInfo:
        """Look at the path.

        Raises:
            InvalidInput: The file system does not answer.
        """
        with in_words(self.name):
            return self.filesystem.get_file_info(self.path)

    def below(self, path: str) -> "Location":
        """Return a location in this directory, by its path in the same file system."""
        relative = path.removeprefix(self.path.rstrip("/")).lstrip("/")
        name = f"{self.name.rstrip('/')}/{relative}" if self.name else relative
        return Location(self.filesystem, path, name if relative else self.name)

    def child(self, relative: str) -> "Location":
        """Return a location in this directory, by its path in the directory."""
        return self.below(f"{self.path.rstrip('/')}/{relative}")


@dataclass(frozen=True)
class DataFile:
    """A file, with the size and time that it had when it was found."""

    location: Location
    size: int
    modified: int | None
    """Nanoseconds since 1970, where the file system knows."""
    relative: str
    """Its path below the directory, or the fixed part of the glob, that named it."""

    @property
    def name(self) -> str:
        """In messages."""
        return self.location.name

    @cached_property
    def identity(self) -> tuple[str, str, int, int | None]:
        """What a change of the file changes."""
        return self.location.filesystem.type_name, self.location.path, self.size, self.modified

    def content(self) -> Content:
        """Open its bytes.

        Raises:
            InvalidInput: They cannot be read.
        """
        return Content(self.name, self._start, self.size, remote=self.location.is_remote)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """See that the file does not change while it is read.

        Raises:
            InvalidInput: It has changed since it was looked for.
        """
        self._check()
        yield
        self._check()

    def _check(self) -> None:
        info = self.location.info()
        if (info.size, info.mtime_ns) != (self.size, self.modified):
            raise refuse(self.name, "has changed since this run began. Run the command again, when nothing writes it.")

    def _start(self) -> BinaryIO:
        return cast("BinaryIO", self.location.filesystem.open_input_file(self.location.path))


def locate(text: str) -> Location:
    """Find the file system of a path or URI.

    Raises:
        InvalidInput: The URI is not understood.
    """
    if "://" not in text:
        return Location(fs.LocalFileSystem(), str(Path(text).absolute()), text)
    parts = urlsplit(text)
    name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    try:
        with in_words(name):
            filesystem, path = fs.FileSystem.from_uri(text)
    except (ArrowInvalid, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).replace(text, name).split())[:200]
        raise refuse(name, f"is no URI that is read here ({reason}). Such as s3://bucket/directory/.") from error
    return Location(filesystem, path, name)


def find_files(texts: Iterable[str]) -> list[DataFile]:
    """Find files by paths, directories, globs and URIs: in the order of the texts, and by name below each.

    A file that several texts name is there once.

    Raises:
        InvalidInput: One names no file.
    """
    found: dict[tuple[str, str, int, int | None], DataFile] = {}
    for text in texts:
        files = list(_files_of(text))
        if not files:
            raise refuse(_shown(text), "has no files. Name files, a directory with files, or a glob that matches some.")
        for file in files:
            found.setdefault(file.identity, file)
    return list(found.values())


def _shown(text: str) -> str:
    return locate(text).name if "://" in text else text


def _files_of(text: str) -> Iterator[DataFile]:
    if text == "-":
        raise refuse("-", "is the standard input, which is read once. Name files.")
    whole = locate(text)
    info = whole.info()
    if info.type == fs.FileType.NotFound and WILD & set(whole.path):
        yield from _globbed(whole)
    elif info.type == fs.FileType.NotFound:
        raise refuse(whole.name, "cannot be read (No such file or directory).")
    elif info.type == fs.FileType.Directory:
        yield from _below(whole, whole)
    else:
        yield _file(whole, info, whole.path.rpartition("/")[0])


def _file(location: Location, info: fs.FileInfo, root: str) -> DataFile:
    if info.type == fs.FileType.Unknown:
        raise refuse(location.name, "is a pipe or a device, which is read once. Name files.")
    relative = location.path.removeprefix(root.rstrip("/")).lstrip("/")
    return DataFile(location, info.size or 0, info.mtime_ns, relative)


def _below(directory: Location, root: Location) -> Iterator[DataFile]:
    """Yield the files of a directory and of those in it, by name, except hidden ones."""
    for info in _listed(directory, recursive=True):
        parts = info.path.removeprefix(directory.path).strip("/").split("/")
        if info.type == fs.FileType.File and not any(part.startswith(HIDDEN) for part in parts):
            yield _file(directory.below(info.path), info, root.path)


def _listed(directory: Location, *, recursive: bool = False) -> list[fs.FileInfo]:
    selector = fs.FileSelector(directory.path, allow_not_found=True, recursive=recursive)
    with in_words(directory.name):
        infos: list[fs.FileInfo] = directory.filesystem.get_file_info(selector)
    return sorted(infos, key=lambda info: info.path.split("/"))


def _globbed(pattern: Location) -> Iterator[DataFile]:
    parts = pattern.path.split("/")
    fixed = next(place for place, part in enumerate(parts) if WILD & set(part))
    path = "/".join(parts[:fixed]) or "/"
    written = pattern.name[: len(pattern.name) - len("/".join(parts[fixed:]))].rstrip("/")
    root = Location(pattern.filesystem, path, written or ("/" if pattern.name.startswith("/") else ""))
    for location, info in _matches(root, parts[fixed:]):
        if info.type == fs.FileType.Directory:
            yield from _below(location, root)
        else:
            yield _file(location, info, root.path)


def _matches(base: Location, parts: Sequence[str]) -> Iterator[tuple[Location, fs.FileInfo]]:
    """Yield what the parts of a glob match below a directory; `**` is any number of directories."""
    if not parts:
        info = base.info()
        if info.type != fs.FileType.NotFound:
            yield base, info
        return
    first, *rest = parts
    if first == "**":
        yield from _matches(base, rest)
    elif not WILD & set(first):
        yield from _matches(base.child(first), rest)
        return
    for info in _listed(base):
        if info.base_name.startswith(HIDDEN):
            continue
        if first == "**" and info.type == fs.FileType.Directory:
            yield from _matches(base.below(info.path), parts)
        elif first != "**" and fnmatchcase(info.base_name, first):
            yield from _matches(base.below(info.path), rest)


def check_not_overwritten(files: Iterable[DataFile], outputs: Iterable[Location]) -> None:
    """See that no output is one of the files.

    Raises:
        InvalidInput: One is.
    """
    paths = {file.location.path for file in files}
    for output in outputs:
        if output.path in paths:
            raise InvalidInput(Problem("--out", f"{output.name} is a file that is read. Name another directory."))
