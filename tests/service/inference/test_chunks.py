"""Observations in chunks are the observations at once, with the scale of all of them."""

import numpy as np
import pytest

from service.inference import chunks
from service.registry.repository import Repository
from tests.closeness import assert_close

B, N, D = 2, 300, 4


@pytest.mark.parametrize("first_missing", [0, 250])
@pytest.mark.parametrize("held", [0, 20, 60])
def test_chunks_answer_as_one_run(
    repository: Repository, held: int, first_missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, generator = repository.get("nonlinear"), np.random.default_rng(0)
    x = generator.normal(size=(B, N, D)) * [1, 5, 2, 3] + 7
    y, weight = np.sin(x[..., :1]), generator.uniform(0.5, 2.0, (B, N))
    query = x[:, :5].copy()
    query[:, 0, 2], query[:, 1] = np.nan, np.nan
    x[:, first_missing:][generator.random((B, N - first_missing, D)) < 0.1] = np.nan
    first = {"x": x[:, :held], "y": y[:, :held], "weight": weight[:, :held]}
    state = runtime.state_after(runtime.run(first)) if held else {}
    tensors = {**state, "x": x[:, held:], "y": y[:, held:], "weight": weight[:, held:], "x_query": query}
    expected = runtime.run(tensors)
    monkeypatch.setattr(chunks, "NUMBERS_AT_ONCE", 5000)
    for name, tensor in runtime.run(tensors).items():
        assert_close(tensor, expected[name], name, rtol=1e-9)
