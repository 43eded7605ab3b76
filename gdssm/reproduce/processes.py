"""Independent jobs in several processes, and the processor time of all of them."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import torch

Job = TypeVar("Job")
Found = TypeVar("Found")


def run_all(function: Callable[[Job], Found], jobs: Sequence[Job], processes: int) -> list[Found]:
    """Return the results in the order of the jobs, the processes with one thread each; with one, here."""
    if processes == 1:
        return [function(job) for job in jobs]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(function, jobs))


def processor_seconds() -> float:
    """The processor time of this process and of those that it has waited for."""
    return sum(os.times()[:4])
