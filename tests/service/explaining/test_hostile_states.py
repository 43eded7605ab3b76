"""Whatever a state holds that came from elsewhere, it is explained in finite numbers or refused."""

from collections.abc import Callable

import numpy as np
import pytest

from service.errors import NumericOverflow
from service.explaining.explanation import explain_state
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.states.context_state import ContextState
from tests.nonempty import nonempty

LIMITS = Limits(1024, 1_000_000)
SPOILED: list[Callable[[Array], Array]] = [
    lambda a: a * np.nan, lambda a: a * 1e200, lambda a: a * 1e-200, lambda a: -a, lambda a: 0 * a, lambda a: a + 1e9
]  # fmt: skip


def is_explained(repository: Repository, model: str, memory: ContextState) -> bool:
    """Explain it, and see that the numbers are finite; False where it is refused."""
    try:
        found = explain_state(
            repository.get(model), memory, LIMITS, wanted=Wanted(0.9), explain=["effects", "pairs", "blocks"]
        )
    except NumericOverflow:
        return False
    assert found.effects is not None
    numbers: list[Array] = [effect.effect for effect in found.effects.columns]
    numbers += [block.probability for block in found.blocks or ()]
    assert all(np.isfinite(array).all() for array in nonempty(numbers))
    return True


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize(("inputs", "gap"), [(3, False), (3, True), (16, False)])
def test_hostile_state_is_explained_or_refused(repository: Repository, model: str, inputs: int, gap: bool) -> None:
    runtime, generator = repository.get(model), np.random.default_rng(0)
    x = generator.normal(size=(1, 40, inputs))
    x[0, 0, 0] = np.nan if gap else 0.0
    good = runtime.state_after(runtime.run({"x": x, "y": generator.normal(size=(1, 40, 2))}))
    outcomes = []
    for name in good:
        for spoil in SPOILED:
            memory = ContextState(tensors={**good, name: spoil(good[name])}, inputs=inputs, outputs=2, y_is_1d=False)
            outcomes.append(memory.is_empty or is_explained(repository, model, memory))
    assert True in outcomes
    assert False in outcomes
