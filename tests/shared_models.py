"""The shipped model files, loaded once in a process of tests, however many apps and commands it opens."""

from functools import cache
from pathlib import Path
from typing import Self

import service
from service.inference.runtime import Runtime
from service.registry.directories import digest

SHIPPED = frozenset(digest(path.read_bytes()) for path in (Path(service.__file__).parent / "zoo").glob("*.onnx"))


class SharedRuntime(Runtime):
    """Takes the place of `Runtime` in `service.registry.directories`; other files are loaded each time."""

    @classmethod
    def of_bytes(cls, file: bytes, threads: int = 1) -> Self:
        """Load a file, or return what it was loaded to before."""
        runtime: Self = (_load if digest(file) in SHIPPED else Runtime.of_bytes)(file, threads)  # type: ignore[assignment]  # a Runtime is enough
        return runtime


@cache
def _load(file: bytes, threads: int) -> Runtime:
    return Runtime.of_bytes(file, threads)
