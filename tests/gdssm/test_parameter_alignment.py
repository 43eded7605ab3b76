"""The learning rates of a stack are read from its weights, whatever factors were moved between them."""

import numpy as np
import pytest
import torch

from gdssm import construction
from gdssm.mini_batch import MiniBatchDescent, MiniBatchStack
from gdssm.parameter_alignment import mini_batch_rates, rates_difference, stack_rates
from gdssm.stack import GDSSM
from tests.closeness import assert_close
from tests.gdssm.contexts import D, K, context

RATES = [0.7, 0.2, 1.3, 0.4]


def moved(stack: GDSSM) -> GDSSM:
    """Move factors between the gates, the gains and the feedback."""
    with torch.no_grad():
        stack.input_gate.pair_weight.mul_(-2)
        stack.output_gate.query_weight.mul_(5)
        stack.gain.div_(-10)
        stack.feedback.div_(-2)
    return stack


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_rates_of_the_construction_are_its_roots(count: int) -> None:
    rates = stack_rates(moved(construction.steps(D, K, RATES[:count], torch.float64)))
    assert_close(rates.real, np.sort(RATES[:count]), "rates", rtol=1e-6)
    assert rates_difference(rates, tuple(sorted(RATES[:count]))) < 1e-6


def test_a_feedback_of_the_wrong_sign_is_a_rate_that_is_not_positive() -> None:
    stack = construction.steps(D, K, RATES[:2], torch.float64)
    with torch.no_grad():
        stack.feedback.mul_(-1)
    rates = stack_rates(stack)
    assert rates.real.min() < 0
    assert rates_difference(rates, (0.2, 0.7)) >= 1


def test_a_layer_without_effect_has_rate_zero() -> None:
    stack = construction.steps(D, K, RATES[:2], torch.float64)
    with torch.no_grad():
        stack.gain[1].zero_()
        stack.feedback.zero_()
    assert_close(stack_rates(stack).real, np.array([0.0, RATES[0]]), "rates")


def mini_batch_stack() -> MiniBatchStack:
    stack = MiniBatchStack(construction.steps(D, K, RATES[:3], torch.float64).config).double()
    stack.load_state_dict(construction.steps(D, K, [0.3] * 3, torch.float64).state_dict())
    return stack


def test_a_stack_with_the_weights_of_descent_takes_a_step_for_each_mini_batch() -> None:
    x, y, x_query = context(observations=12, queries=1)
    expected = MiniBatchDescent(4, 0.3, torch.zeros(D, K, dtype=torch.float64))(x, y, x_query)
    stack = moved(mini_batch_stack())
    assert_close(stack(x, y, x_query), expected, "prediction")
    assert_close(mini_batch_rates(stack), np.full(3, 0.3), "rates")


def test_mini_batches_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="7 observations; 3 mini-batches"):
        mini_batch_stack()(*context(observations=7, queries=1))
