import numpy as np
import pytest

from service.errors import InvalidInput
from service.states.merge import merge
from tests.closeness import assert_close
from tests.properties.backends import OnnxBackend, backend

NAMES = ["gd-1", "linear", "linear-1.0.0"]


def state(name: str, length: int, mean: float = 0.0, inputs: int = 5) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(length)
    x, y = generator.normal(size=(2, length, inputs)) + mean, generator.normal(size=(2, length, 3))
    return backend(OnnxBackend, name).observe(x, y)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_state_changes_nothing(name: str) -> None:
    manifest, seen, empty = backend(OnnxBackend, name).runtime.manifest, state(name, 7), state(name, 0)
    for joined in (merge(manifest, seen, empty), merge(manifest, empty, seen)):
        for tensor, expected in seen.items():
            assert_close(joined[tensor], expected, tensor)


@pytest.mark.parametrize("name", NAMES)
def test_a_negated_state_takes_its_part_out(name: str) -> None:
    model = backend(OnnxBackend, name)
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 9, 5)), generator.normal(size=(2, 9, 3))
    x_query = generator.normal(size=(2, 4, 5))
    minus = model.observe(x[:, 6:], y[:, 6:], -np.ones((2, 3)))
    joined = merge(model.runtime.manifest, model.observe(x, y), minus)
    expected = model.predict(model.observe(x[:, :6], y[:, :6]), x_query)
    assert_close(model.predict(joined, x_query), expected, "prediction", rtol=1e-9)


@pytest.mark.parametrize("name", ["linear", "linear-1.0.0"])
def test_a_large_mean_loses_no_digits(name: str) -> None:
    manifest = backend(OnnxBackend, name).runtime.manifest
    near, far = (merge(manifest, state(name, 7, mean), state(name, 11, mean)) for mean in (0.0, 1e6))
    assert_close(far["state.comoment"], near["state.comoment"], "comoment", rtol=1e-9)


def test_states_of_different_widths_are_refused() -> None:
    manifest = backend(OnnxBackend, "gd-1").runtime.manifest
    with pytest.raises(InvalidInput, match="different widths"):
        merge(manifest, state("gd-1", 3), state("gd-1", 3, inputs=4))
