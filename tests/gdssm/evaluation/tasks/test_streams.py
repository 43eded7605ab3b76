import numpy as np

from gdssm.evaluation.tasks.task import split_stream


def test_streams_are_uncorrelated() -> None:
    count = 20_000
    first, second = (stream.standard_normal(count) for stream in split_stream(np.random.default_rng(0), 2))
    assert abs(np.corrcoef(first, second)[0, 1]) <= 4 / np.sqrt(count)


def test_a_stream_does_not_depend_on_what_the_others_drew() -> None:
    idle, busy = split_stream(np.random.default_rng(0), 2), split_stream(np.random.default_rng(0), 2)
    busy[0].standard_normal(1000)
    assert idle[1].standard_normal() == busy[1].standard_normal()
