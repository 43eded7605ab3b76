"""Observations removed from a context by a negative weight."""

from typing import Any

import pytest

from tests.service.api.routes.context_calls import make, observe, post, predict, refusal
from tests.service.in_process import InProcess

LINE: dict[str, Any] = {"x": [[0], [1], [2], [3], [10]], "y": [5, 7, 9, 11, 0]}


@pytest.mark.parametrize("unit", [1e-14, 1.0, 1e14])
def test_the_unit_of_the_weights_does_not_matter(client: InProcess, unit: float) -> None:
    context = make(client, observations=LINE | {"weight": [unit] * 5})
    observe(client, context, {"x": [[10]], "y": [0], "weight": [-unit]})
    assert predict(client, context, [[10]]) == pytest.approx([25], rel=1e-9)


@pytest.mark.parametrize(("value", "shown"), [(2, "is 2"), (None, "is nan")])
def test_a_refusal_names_the_row_that_is_taken_out(client: InProcess, value: float | None, shown: str) -> None:
    """Added rows are farther from the mean of the column, which is 2."""
    context = make(client, version="2.0.0", observations={"x": [[0, 1], [4, 2], [2, 4], [2, 5]], "y": [5, 7, 9, 11]})
    other = make(client, version="2.0.0", observations={"x": [[2, 2], [1e9, 3], [2, 4], [2, 5]], "y": [5, 7, 9, 9]})
    observe(client, other, {"x": [[1e9, 3]], "y": [7], "weight": [-1]})
    assert post(client, context, "merge", {"context": other["id"], "allow_precision_loss": True}).status_code == 200
    rows = {"x": [[2, 3], [1, 3], [3, 1], [value, 5]], "y": [5, 6, 7, 11], "weight": [1, 1, 1, -1]}
    message = refusal(post(client, context, "observations", rows), 422, "precision_loss")
    assert f"x[3][0]: {shown} and cannot be taken out exactly" in message
    assert message.endswith("would be left. Make a new context of the observations that are right.")


def test_the_last_observation_is_left_though_it_lacks_a_column(client: InProcess) -> None:
    first, others = [[None, 1.5]], [[2.3, 2], [3.1, 4], [5.7, 7.5]]
    context = make(client, version="2.0.0", observations={"x": first + others, "y": [5.1, 7.3, 9.9, 11.2]})
    observe(client, context, {"x": others, "y": [7.3, 9.9, 11.2], "weight": [-1, -1, -1]})
    assert predict(client, context, [[3, 1.5]]) == pytest.approx([5.1], rel=1e-9)
