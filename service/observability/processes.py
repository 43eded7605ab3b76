"""Memory, CPU time and open files of all processes of the service."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

START_TIME_METRIC = "process_start_time_seconds"
"""The earliest start is reported; all other metrics are summed."""


class Processes(Collector):
    """Sums the metrics of prometheus_client's `ProcessCollector` over processes.

    Args:
        directory: With a file for each live worker; None if this process is the only one.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = None if directory is None else Path(directory)

    def collect(self) -> Iterable[Metric]:
        """Measure all processes."""
        total: dict[str, Metric] = {}
        for pid in self._pids():
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]  # a default of a lambda
                if metric.name in total:
                    _add(total[metric.name], metric)
                else:
                    total[metric.name] = metric
        return total.values()

    def _pids(self) -> list[str]:
        if self._directory is None:
            return ["self"]
        return [file.stem.rpartition("_")[2] for file in self._directory.glob("gauge_livesum_*.db")]


def _add(total: Metric, metric: Metric) -> None:
    """Add a metric to a total in place; each has one sample."""
    combine = min if total.name == START_TIME_METRIC else sum
    value = combine([total.samples[0].value, metric.samples[0].value])
    total.samples[0] = total.samples[0]._replace(value=value)
