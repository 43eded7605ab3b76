"""Constants of the evidence average, shared with its numpy counterpart; no torch."""

import numpy as np

STRENGTHS = 2.0 ** (8.0 - np.arange(30))
"""s: noise variance over signal variance in the prior, 256 to 5e-7; the prior's R² is 1/(1 + s)."""
NO_SIGNAL = 0.15
"""Probability in the prior that y does not depend on x at all; the first strength stands for it."""
R_BETWEEN = np.concatenate([[0.0], (1.0 + STRENGTHS[:-1] / np.sqrt(2.0)) ** -0.5, [1.0]])
"""R halfway between strengths on the logarithmic grid, and 0 and 1 at its ends."""
_FIRST = STRENGTHS.max() == STRENGTHS
LOG_PRIOR = np.log((1.0 - NO_SIGNAL) * np.diff(np.arcsin(R_BETWEEN)) * 2.0 / np.pi + NO_SIGNAL * _FIRST)
"""Of each strength: otherwise R² is Beta(½, ½) (Jeffreys), whose distribution function is (2/π)·arcsin R."""
SMALLEST_BOUND = 1e-5
"""Used instead of λ_max of a zero matrix."""
SMALLEST_RESIDUAL = 1e-14
"""Σ weight·(y − prediction)² over Σ weight·y²: below this it is rounding."""
SMALLEST_FREEDOM = 1e-9
"""Lower bound of the degrees of freedom as a divisor."""
NEVER = -1e9
"""Log evidence of a group of no features."""
ROUNDING = 2.0**-49
"""Relative to the mean, the largest standard deviation of a constant column."""
RESIDUE = 1e-14
"""Relative to its peak, the largest diagonal that rounding leaves of removed observations."""
CONSTANT = 1e-13
"""The largest variance of a constant indicator or feature."""
NUMBERS, INDICATORS, LEVELS = 0, 1, 2
"""Blocks of every model: the columns of x that are numbers, each with the same share, whatever its variance; the
indicators of missing cells; and the columns that are levels of categories. Blocks of features follow."""
BUFFERED = 32
"""Observations in the buffer before the scale of features is frozen."""
FURTHEST = 4.0
"""Standard deviations beyond which features are constant."""
BEND = 2.5
"""Products are of BEND·tanh(z/BEND), so that two far columns have no extreme product."""
TAIL_FREEDOM = 10.0
"""Degrees of freedom of the scores of a class: on the development tables 5 to 20 are alike, and better than a normal
distribution at every number of observations."""
SMALLEST_SHARE = 1e-10
"""The largest share of a class without observations, left by rounding of removals."""
LARGEST_LEVERAGE = 0.9
"""Upper bound of the mean leverage."""
INVERSE_DOUBLINGS = 44
"""2^44 steps of descent invert a covariance of scores whose condition number is up to 1e11."""
