"""Labels at line ends do not overlap, and each learner has its plot style."""

import numpy as np
import pytest

from gdssm.reproduce.drawing import spread
from gdssm.reproduce.plot_style import descent, line_search, plot_style, trained


@pytest.mark.parametrize("places", [[0.0, 0.01, 0.02], [0.97, 0.98, 1.0], [0.1, 0.5, 0.9], [0.5], []])
def test_names_are_apart_and_inside(places: list[float]) -> None:
    moved = spread(places, 0.05)
    assert all(np.diff(moved) >= 0.05 - 1e-12)
    assert max(moved, default=0.0) <= 1.0


def test_names_with_room_stay() -> None:
    assert spread([0.1, 0.5, 0.9], 0.05) == [0.1, 0.5, 0.9]


def test_each_learner_has_its_own_colour() -> None:
    names = [trained(L) for L in (1, 2, 5, 10)] + [descent(K) for K in (1, 2, 5, 10)] + [line_search(1)]
    assert len({plot_style(name).color for name in names}) == len(names)
    assert plot_style(descent(5, shared=True)).dashes != plot_style(descent(5)).dashes
    assert plot_style(line_search(1)).color == plot_style(line_search(10)).color
