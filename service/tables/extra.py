"""What reads files is an extra of the install: `gdssm[tables]`."""

import importlib
from types import ModuleType
from typing import IO, BinaryIO, cast

from service.errors import InvalidInput, Problem


def needed(module: str, to: str) -> ModuleType:
    """Import a module of the extra.

    Args:
        module: Its name.
        to: The action that needs it.

    Raises:
        InvalidInput: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".", maxsplit=1)[0].replace("_", "-")
        text = f"{to} needs {package}. Install it with: pip install 'gdssm[tables]'"
        raise InvalidInput(Problem("", text)) from error


def zstd_stream(file: BinaryIO) -> IO[bytes]:
    """Open a file that zstd has compressed."""
    arrow = needed("pyarrow", "Reading a .zst file")
    return cast("IO[bytes]", arrow.CompressedInputStream(arrow.PythonFile(file, "r"), "zstd"))
