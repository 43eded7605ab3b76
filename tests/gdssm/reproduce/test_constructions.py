"""The constructions equal literal descent, and the experiment finds a wrong one."""

import torch

from gdssm.reproduce.experiments import constructions
from tests.gdssm.contexts import initial_weight
from tests.nonempty import nonempty


def test_all_constructions_are_literal_descent() -> None:
    numbers = constructions.measure()
    assert list(numbers["differences"]) == list(constructions.constructions(initial_weight()))
    for name, line in nonempty(numbers["differences"].items()):
        assert len(line) == len(constructions.LENGTHS), name
    assert all(verdict.met for verdict in nonempty(constructions.claims(numbers)))


def test_another_rate_is_another_step() -> None:
    wrong, right = constructions.constructions(initial_weight())["one step from any W₀"]
    x, y, x_query = (torch.ones(2, n, d, dtype=torch.float64) for n, d in ((7, 5), (7, 3), (1, 5)))
    assert not torch.allclose(wrong(x, 2 * y, x_query), right(x, y, x_query))
