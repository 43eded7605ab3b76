"""One observation more: what it takes after few, and after millions."""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.scale.point import UNLIMITED, Point, observations, streamed
from benchmarks.zoo import model_file
from service.contexts.memory import learn
from service.predictor import Context
from service.runtime import Runtime


def one_more(model: str, seen: Sequence[int], rounds: int) -> dict[int, list[float]]:
    """Learn one pair after each of some counts of observations, in turn: seconds of every time by count."""
    runtime = Runtime.load(model_file(model))
    memories = {count: streamed(runtime, observations(Point(model, count, way="streamed"))) for count in seen}
    generator = np.random.default_rng(2)
    pair = Context(generator.normal(size=(1, Point.inputs)), generator.normal(size=(1, Point.outputs)))
    seconds: dict[int, list[float]] = {count: [] for count in seen}
    for _ in range(rounds):
        for count, memory in memories.items():
            start = time.perf_counter()
            learn(runtime, UNLIMITED, memory, pair)
            seconds[count].append(time.perf_counter() - start)
    return seconds
