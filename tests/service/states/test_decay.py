"""What a decay may be, said so that the next request is right."""

import pytest

from service.errors import InvalidInput
from service.states.drift import check_decay
from tests.service.states.test_context_state import manifest


@pytest.mark.parametrize("decay", ["atuo", "Auto", "", 0, 2, -0.5, float("nan")])
def test_a_wrong_one_is_told_with_the_rule(decay: float | str) -> None:
    with pytest.raises(InvalidInput, match='decay: must be above 0 and at most 1, or "auto"; this is ') as refused:
        check_decay(manifest("linear"), decay)
    assert str(refused.value).endswith(
        f"this is {decay!r}. It is the factor on the weight of an observation after one more."
    )


@pytest.mark.parametrize("decay", [None, 0.5, 1, "auto"])
def test_a_right_one_passes(decay: float | str | None) -> None:
    check_decay(manifest("linear"), decay)
