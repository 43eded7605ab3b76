"""Names beside lines, and one look a learner."""

import numpy as np
import pytest

from gdssm.reproduce.drawing import spread
from gdssm.reproduce.looks import look
from gdssm.reproduce.names import descent, line_search, trained


@pytest.mark.parametrize("places", [[0.0, 0.01, 0.02], [0.97, 0.98, 1.0], [0.1, 0.5, 0.9], [0.5], []])
def test_names_are_apart_and_inside(places: list[float]) -> None:
    moved = spread(places, 0.05)
    assert all(np.diff(moved) >= 0.05 - 1e-12)
    assert max(moved, default=0.0) <= 1.0


def test_names_with_room_stay() -> None:
    assert spread([0.1, 0.5, 0.9], 0.05) == [0.1, 0.5, 0.9]


def test_a_learner_is_told_by_its_colour() -> None:
    names = [trained(L) for L in (1, 2, 5, 10)] + [descent(K) for K in (1, 2, 5, 10)] + [line_search(1)]
    assert len({look(name).color for name in names}) == len(names)
    assert look(descent(5, shared=True)).dashes != look(descent(5)).dashes
    assert look(line_search(1)).color == look(line_search(10)).color
