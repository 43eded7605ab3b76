"""Memory, CPU time and open files of the service: of all its workers together, whichever of them is asked."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

START_TIME_METRIC = "process_start_time_seconds"
"""Not added up."""


class Processes(Collector):
    """Adds up what prometheus_client knows of one process.

    Args:
        directory: Where the live workers keep their numbers; None where there is but this process.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = None if directory is None else Path(directory)

    def collect(self) -> Iterable[Metric]:
        """Look at each process anew."""
        total: dict[str, Metric] = {}
        for pid in self._pids():
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                if metric.name in total:
                    _add(total[metric.name], metric)
                else:
                    total[metric.name] = metric
        return total.values()

    def _pids(self) -> list[str]:
        if self._directory is None:
            return ["self"]
        return [file.stem.rpartition("_")[2] for file in self._directory.glob("gauge_livesum_*.db")]


def _add(total: Metric, further: Metric) -> None:
    """Into the first; each has one sample."""
    join = min if total.name == START_TIME_METRIC else sum
    value = join([total.samples[0].value, further.samples[0].value])
    total.samples[0] = total.samples[0]._replace(value=value)
