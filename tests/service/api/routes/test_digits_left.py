"""Significant digits of a context that its view reports."""

from typing import Any

import pytest

from tests.service.api.routes.context_calls import make, observe, post, refusal
from tests.service.in_process import InProcess

COLUMN = [2e6 + value for value in range(8)]
"""Mean 2e6 and standard deviation 2.3: the variation has 9.7 significant digits."""


def digits_left(client: InProcess, context: dict[str, Any]) -> int:
    digits: int = client.get(f"/v1/contexts/{context['id']}").json()["digits_left"]
    return digits


@pytest.mark.slow
@pytest.mark.parametrize("decay", [None, "auto"])
def test_rows_without_the_column_do_not_change_its_digits(client: InProcess, decay: str | None) -> None:
    context = make(client, version="2.0.0", decay=decay)
    complete = [[value, index % 8] for index, value in enumerate(COLUMN)]
    observe(client, context, {"x": complete, "y": list(range(8))})
    assert digits_left(client, context) == 9
    observe(client, context, {"x": [[None, index % 8] for index in range(400)], "y": [1.0] * 400})
    assert digits_left(client, context) == 9


def test_merging_a_context_that_had_a_far_larger_value_is_refused(client: InProcess) -> None:
    """The column of the other context is constant again after the removal of the mistake, but its sums are rounded."""
    context = make(client, observations={"x": [[1], [2], [3], [4]], "y": [1, 2, 3, 5]})
    other = make(client, observations={"x": [[5], [1e9], [5], [5]], "y": [1, 2, 3, 5]})
    observe(client, other, {"x": [[1e9]], "y": [2], "weight": [-1]})
    answer = post(client, context, "merge", {"context": other["id"]})
    assert "has seen so much larger values" in refusal(answer, 422, "precision_loss")
    alike = make(client, observations={"x": [[5], [6], [5], [5]], "y": [1, 2, 3, 5]})
    observe(client, alike, {"x": [[6]], "y": [2], "weight": [-1]})
    assert post(client, context, "merge", {"context": alike["id"]}).status_code == 200
