"""Thousand instructions per request: a figure that repeats, whatever else the machine is doing.

Counted by the processor where its counters can be had (`perf stat`), else by callgrind, which runs the server on a
processor of its own making, about thirty times slower, and counts what is done in the process but not in the kernel.
"""

import argparse
import re
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import MappingProxyType

from benchmarks.serving.contestants import CONTROLS, FASTAPI, OURS, Contestant
from benchmarks.serving.payloads import SIZES
from benchmarks.serving.processes import family
from benchmarks.serving.programs import fetched
from benchmarks.serving.servers import Disqualified, Server, send, started
from benchmarks.table import hardware, markdown

REQUESTS = {"S": 30, "M": 16, "L": 3}
"""Of one count."""
REPEATS = 5
"""Counts of one figure, after one that is thrown away; what counts is their median, as now and then one has something
else in it."""
SLOW_PROCESSOR = MappingProxyType({"GDSSM_POLL_INTERVAL": "10", "GDSSM_INLINE_SECONDS": "0.1"})
"""Settings of our service on a processor that is thirty times slower: checks twice a second would be up to half of
all instructions, and requests that are computed in the event loop would be moved to a thread."""
SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"
SCRAPED = 200
"""Requests whose numbers are summed up at once; at full load it is more of them."""


class Counter(ABC):
    """Counts the instructions of a server."""

    name: str
    before: tuple[str, ...] = ()
    """What the server has to run under."""
    environment: Mapping[str, str] = MappingProxyType({})
    """With which further variables."""

    @abstractmethod
    def count(self, server: Server, work: Callable[[], None]) -> int:
        """Count what the server does while the work is done."""


class Perf(Counter):
    """The processor's own counters, kernel included."""

    name = "perf"

    def count(self, server: Server, work: Callable[[], None]) -> int:
        """Attach to every process of the server for as long as the work takes."""
        attached = ",".join(str(process) for process in family(server.process.pid))
        command = ["perf", "stat", "--field-separator", ",", "--event", "instructions", "--pid", attached]
        perf = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
        time.sleep(0.2)
        work()
        perf.send_signal(signal.SIGINT)
        _, text = perf.communicate()
        return int(text.strip().splitlines()[-1].split(",")[0])


class Callgrind(Counter):
    """Valgrind's, for a server of one process.

    Args:
        directory: For what it writes.
    """

    name = "callgrind"
    environment = MappingProxyType({"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS"})
    """To valgrind, a copy by `rep movsb` is an instruction for each byte; this has them copied by vectors."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        out = f"--callgrind-out-file={directory}/%p"
        self.before = ("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", out)

    def count(self, server: Server, work: Callable[[], None]) -> int:
        """Set the count to zero, and have it written down after the work."""
        _tell(server, "instrumentation on", "zero")
        work()
        _tell(server, "dump")
        newest = max(self._directory.glob(f"{server.process.pid}.*"), key=lambda path: int(path.suffix[1:]))
        total = re.search(r"^totals: (\d+)", newest.read_text(errors="replace"), re.MULTILINE)
        return int(total[1]) if total else 0


def _tell(server: Server, *commands: str) -> None:
    """Have callgrind do something; it is interrupted at once, not only after the tenth of a second that is usual."""
    each = (word for command in commands for word in ("-c", *command.split()))
    command = ["vgdb", f"--pid={server.process.pid}", "--max-invoke-ms=5", *each]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603


@contextmanager
def counter(directory: Path | None = None) -> Iterator[Counter | None]:
    """Choose what can count here; None if nothing can.

    Args:
        directory: Where callgrind leaves its profiles, to be read with callgrind_annotate.
    """
    if _counters_exist():
        yield Perf()
    elif fetched("valgrind"):
        with tempfile.TemporaryDirectory() as name:
            yield Callgrind(directory or Path(name))
    else:
        yield None


def _counters_exist() -> bool:
    if not shutil.which("perf"):
        return False
    command = ["perf", "stat", "--field-separator", ",", "--event", "instructions", "true"]
    tried = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    return tried.returncode == 0 and tried.stderr.strip()[:1].isdigit()


def measure(
    contestant: Contestant,
    model: str,
    by: Counter,
    kinds: Sequence[str] = ("json", "binary"),
    payloads: Sequence[str] = tuple(SIZES),
) -> dict[str, dict[str, list[float]]]:
    """Count the instructions of one request, some times for each kind that the contestant has and each payload.

    Raises:
        Disqualified: It does not start, or answers wrong.
    """
    with started(contestant, model, by.before, {**SLOW_PROCESSOR, **by.environment}, patience=180) as server:
        own = [kind for kind in kinds if kind in contestant.forms]
        for kind in own:
            for name in payloads:
                server.check(kind, name)
        found = {kind: {name: _of_one(server, kind, name, by) for name in payloads} for kind in own}
        share = _of_sums(server, by) if contestant.name == OURS.name else 0.0
        return {kind: {name: [count + share for count in of[name]] for name in of} for kind, of in found.items()}


def _of_sums(server: Server, by: Counter) -> float:
    """Find the share of one request in the sums for Prometheus: a scrape after many requests, less one after none."""
    request = server.request("json", "S")
    with server.connect() as connection:

        def scrape() -> None:
            send(connection, SCRAPE)

        shares = []
        for _ in range(REPEATS):
            scrape()
            none = by.count(server, scrape)
            for _ in range(SCRAPED):
                send(connection, request)
            shares.append((by.count(server, scrape) - none) / SCRAPED)
        return median(shares)


def _of_one(server: Server, kind: str, name: str, by: Counter) -> list[float]:
    request, requests = server.request(kind, name), REQUESTS[name]
    with server.connect() as connection:

        def work() -> None:
            for _ in range(requests):
                send(connection, request)

        _, *counts = (by.count(server, work) / requests for _ in range(1 + REPEATS))
        return counts


def main() -> None:
    """Print the table, a contestant as soon as it is known."""
    contestants = {contestant.name: contestant for contestant in (OURS, *CONTROLS, *FASTAPI)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestants", nargs="*", metavar="contestant", help=", ".join(contestants))
    parser.add_argument("--model", default="gd-1")
    parser.add_argument("--payload", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--kind", nargs="+", choices=("json", "binary"), default=["json", "binary"])
    parser.add_argument("--profiles", type=Path, help="where callgrind is to leave what it found")
    asked = parser.parse_args()
    print(f"{hardware()}\n")
    print(markdown(["thousand instructions per request", "", *asked.payload], []), end="")
    with counter(asked.profiles) as by:
        if by is None:
            raise SystemExit("Neither perf's counters nor valgrind are here.")
        for name in asked.contestants or contestants:
            try:
                found = measure(contestants[name], asked.model, by, asked.kind, asked.payload)
            except Disqualified as error:
                print(f"{name}: {error}")
                continue
            for kind, counts in found.items():
                cells = [f"{median(count) / 1e3:,.0f}" for count in counts.values()]
                print("| " + " | ".join([name, kind, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
