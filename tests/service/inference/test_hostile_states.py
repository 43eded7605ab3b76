"""Whatever states, readouts and sizes come with a request, they are answered or refused."""

import numpy as np
import pytest

from service.errors import ServiceError
from service.inference.checks import Limits
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.inference.tensor_inference import infer
from service.registry.repository import Repository

LIMITS = Limits(1024, 1_000_000)
SPOILED = [lambda a: a * np.nan, lambda a: a * 1e200, lambda a: -a, lambda a: a[..., None], lambda a: a[..., :0]]


def states(runtime: Runtime, generator: np.random.Generator) -> list[dict[str, Array]]:
    found = []
    for inputs, outputs, gap in ((2, 1, False), (3, 2, False), (3, 2, True)):
        x = generator.normal(size=(1, 40, inputs))
        if gap:
            x[0, 0, 0] = np.nan
        found.append(runtime.state_after(runtime.run({"x": x, "y": generator.normal(size=(1, 40, outputs))})))
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_each_is_answered_or_refused(repository: Repository, model: str) -> None:
    runtime, generator = repository.get(model), np.random.default_rng(0)
    good, answered, refused = states(runtime, generator), 0, 0
    for _ in range(1500):
        batch, rows, queries, inputs, outputs = (int(generator.integers(low, high)) for low, high in SIZES)
        tensors: dict[str, Array] = {}
        if generator.random() < 0.8:
            tensors["x"] = generator.normal(size=(batch, rows, inputs))
            tensors["y"] = generator.normal(size=(batch, rows, outputs))
            tensors["x"][:, :1, :1] = np.nan if generator.random() < 0.2 else 0.0
        if generator.random() < 0.7:
            tensors["x_query"] = generator.normal(size=(batch, queries, inputs))
        if generator.random() < 0.6:
            state = dict(good[int(generator.integers(len(good)))])
            name = list(state)[int(generator.integers(len(state)))]
            if generator.random() < 0.5:
                state[name] = SPOILED[int(generator.integers(len(SPOILED)))](state[name])
            tensors |= state
        if generator.random() < 0.1:
            tensors |= {"cached.weight": generator.normal(size=(1, inputs, outputs)), "cached.ready": np.ones(1)}
        try:
            infer(runtime, tensors, LIMITS)
            answered += 1
        except ServiceError:
            refused += 1
    assert answered > 100
    assert refused > 100


SIZES = ((0, 3), (0, 4), (0, 3), (1, 5), (1, 3))
"""Of B, N, M, D and K."""
