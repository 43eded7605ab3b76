"""Outputs of a dataset, in any file system of pyarrow: a file gets its name when it is complete."""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast
from uuid import uuid4

from pyarrow import ArrowException, fs

from service.datasets.files import DataFile, Location, check_not_overwritten, locate
from service.errors import InvalidInput, Problem

OBJECT_STORES = frozenset({"s3", "gcs", "abfs"})
"""File systems without directories."""
WRITTEN = (".csv.gz", ".csv", ".parquet", ".pq", ".arrow", ".feather")
"""Ends of names of inputs that outputs keep; others end in .csv."""
SUFFIXES = frozenset(
    {".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".ods"}
    | {".parquet", ".pq", ".arrow", ".feather", ".gz", ".bz2", ".xz", ".zst", ".zip"}
)
RUN = ".gdssm-run"
"""The directory in an output directory that has parts of outputs, and results of finished tasks."""


@dataclass(frozen=True)
class OutputPlace:
    """A directory for outputs, or one file."""

    location: Location
    is_directory: bool
    form: str | None = None
    """The end of the names of the outputs, such as .csv; as the inputs have it if left out."""

    @property
    def scratch(self) -> Location:
        """The directory with unfinished files, next to finished ones so that they only have to be renamed."""
        if self.is_directory:
            return self.location.child(RUN)
        return sibling(self.location, f".{PurePosixPath(self.location.path).name}{RUN}")

    @property
    def run_directory(self) -> Path:
        """The local directory for results of finished tasks."""
        if not self.scratch.is_remote:
            return Path(self.scratch.path)
        name = hashlib.sha256(f"{self.location.filesystem.type_name} {self.location.path}".encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"gdssm-run-{name}"

    def as_file(self) -> Self:
        """Return it as one file.

        Raises:
            InvalidInput: It is a directory.
        """
        if self.is_directory:
            raise InvalidInput(Problem("--out", f"{self.location.name} is a directory. Name a file."))
        return self

    def outputs(self, files: Sequence[DataFile]) -> list[Location]:
        """Name the output of each file: its own name, below this directory.

        Raises:
            InvalidInput: Two have one output, several have one file, or one would be overwritten.
        """
        if not self.is_directory:
            if len(files) > 1:
                text = f"{self.location.name} is one file, for {len(files)} inputs. Name a directory: end it with /."
                raise InvalidInput(Problem("--out", text))
            found = [self.location]
        else:
            found = [self.location.child(_output_name(file.relative, self.form)) for file in files]
        names = Counter(output.path for output in found)
        twice = [file.name for file, output in zip(files, found, strict=True) if names[output.path] > 1]
        if twice:
            text = f"has one name for the outputs of {twice[0]} and {twice[1]}. Predict them into two directories."
            raise InvalidInput(Problem("--out", text))
        check_not_overwritten(files, found)
        return found

    def remove_scratch(self) -> None:
        """Remove unfinished files, if there are any."""
        with suppress(OSError):
            self.location.filesystem.delete_dir(self.scratch.path)


def destination(text: str, form: str | None = None) -> OutputPlace:
    """Understand an output: a directory if it is one, or ends with /.

    Raises:
        InvalidInput: The URI is not understood, or names a pipe or a device, which a complete file would replace.
    """
    location = locate(text)
    if location.name.endswith("/"):
        return OutputPlace(location, is_directory=True, form=form)
    kind = location.info().type
    if kind == fs.FileType.Unknown:
        raise InvalidInput(Problem("--out", f"{location.name} is a pipe or a device. Name a file."))
    return OutputPlace(location, kind == fs.FileType.Directory, form)


def sibling(location: Location, name: str) -> Location:
    """Return a location in the same directory."""
    return Location(
        location.filesystem,
        str(PurePosixPath(location.path).with_name(name)),
        f"{location.name[: len(location.name) - len(PurePosixPath(location.path).name)]}{name}",
    )


def _output_name(relative: str, form: str | None) -> str:
    if form is None and relative.lower().endswith(WRITTEN):
        return relative
    path = PurePosixPath(relative)
    while path.suffix.lower() in SUFFIXES:
        path = path.with_suffix("")
    return f"{path}{form or '.csv'}"


@contextmanager
def open_whole(location: Location, scratch: Location) -> Iterator[BinaryIO]:
    """Open a file that gets its name when it is complete; an error leaves nothing under its name.

    Args:
        location: The file.
        scratch: A directory in the same file system.

    Raises:
        InvalidInput: It cannot be written.
    """
    filesystem, part = location.filesystem, scratch.child(f"{uuid4().hex}.part")
    try:
        if filesystem.type_name not in OBJECT_STORES:
            filesystem.create_dir(scratch.path)
            filesystem.create_dir(str(PurePosixPath(location.path).parent))
        try:
            with filesystem.open_output_stream(part.path) as file:
                yield cast("BinaryIO", file)
            filesystem.move(part.path, location.path)
        except BaseException:
            with suppress(OSError, ArrowException):
                filesystem.delete_file(part.path)
            raise
    except OSError as error:
        raise InvalidInput(Problem(location.name, f"cannot be written ({error.strerror or error}).")) from error
