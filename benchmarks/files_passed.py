"""Count the source files of this project that one warm request passes, in process: `python -m benchmarks.files_passed`.

A file counts if a function of it runs in any thread between the request and its answer. Each request is repeated;
only files that every repeat passes count, which leaves out periodic background work.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from service.settings import Settings
from tests.service.in_process import InProcess, in_process

ROOT = Path(__file__).parents[1]
PACKAGES = ("service", "gdssm", "export")
REPEATS = 5
CONTEXT = {"x": [[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]], "y": [1.0, 2.0, 4.0]}
OBSERVATION = {"x": [[4.0, 1.0]], "y": [3.0]}
PREDICTION = {"model": "linear", "context": CONTEXT, "query": [[1.0, 1.0]]}


class Recorder:
    """A profile function that records the files of functions called while it is on, in all threads started after it."""

    def __init__(self) -> None:
        self._files: set[str] | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Receive one event from the interpreter."""
        if self._files is not None and event == "call":
            self._files.add(frame.f_code.co_filename)

    def files(self, call: Callable[[], object]) -> set[str]:
        """Return the files of this project, relative to its root, that run during a call."""
        found: set[str] = set()
        self._files = found
        call()
        self._files = None
        paths = (Path(name) for name in found)
        inside = (path.relative_to(ROOT) for path in paths if path.is_relative_to(ROOT))
        return {str(path) for path in inside if path.parts[0] in PACKAGES}


@contextmanager
def recording() -> Iterator[Recorder]:
    """Install a recorder for all threads that start inside."""
    recorder, before = Recorder(), threading.getprofile()
    threading.setprofile(recorder)
    try:
        yield recorder
    finally:
        threading.setprofile(before)


def requests(client: InProcess) -> dict[str, Callable[[], object]]:
    """Return the requests to count, by name; the context of the second exists."""
    created = client.request("POST", "/v1/contexts", json={"model": "linear", "observations": CONTEXT})
    path = f"/v1/contexts/{created.json()['id']}/observations"

    def observe() -> None:
        client.request("POST", path, json=OBSERVATION).raise_for_status()

    return {
        "POST /v1/predict": lambda: client.predict(PREDICTION).raise_for_status(),
        "POST /v1/contexts/{id}/observations": observe,
    }


def count(repeats: int = REPEATS) -> dict[str, list[str]]:
    """Return the files that each request passes, sorted, by the name of the request."""
    with recording() as recorder, in_process(Settings(auth="off")) as client:
        calls = requests(client)
        for call in calls.values():
            call()
        return {
            name: sorted(set.intersection(*(recorder.files(call) for _ in range(repeats))))
            for name, call in calls.items()
        }


def main() -> None:
    """Print the counts and the names."""
    for name, files in count().items():
        print(f"{name}: {len(files)} files")
        print("".join(f"  {file}\n" for file in files))


if __name__ == "__main__":
    main()
