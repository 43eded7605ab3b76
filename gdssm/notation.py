"""Letters and axes.

| letter | meaning                                              |
|--------|------------------------------------------------------|
| B      | batch: independent contexts                          |
| N      | observations in a context                            |
| M      | queries                                              |
| D      | inputs: features of x                                |
| K      | outputs: components of y                             |
| F      | features of a token, F = D + K                       |
| W      | window: tokens seen at once, W = 3                   |
| L      | layers, each one gradient step                       |
| η      | learning rate, always positive                       |

Shapes are jaxtyping annotations, which tests check in every call.
`*B` stands for any leading axes: a batch, or a batch and the positions of a sequence.
"""

from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

Inputs: TypeAlias = Float[Tensor, "B N D"]
"""x: the inputs of the observations."""

Outputs: TypeAlias = Float[Tensor, "B N K"]
"""y: the outputs of the observations."""

Weight: TypeAlias = Float[Tensor, "B N"]
"""Weight of each observation: 1 normally, 0 for padding, −w to remove one."""

Queries: TypeAlias = Float[Tensor, "B M D"]
"""x_query: the inputs to predict for."""

Predictions: TypeAlias = Float[Tensor, "B M K"]
"""Outputs predicted for the queries."""

Tokens: TypeAlias = Float[Tensor, "B T F"]
"""A sequence of T = 2N + 1 tokens; x in the first D features, y in the last K."""

Windows: TypeAlias = Float[Tensor, "B N W F"]
"""The window at every observation: (x_i, y_i, x_{i+1})."""

Window: TypeAlias = Float[Tensor, "*B W F"]
"""One window, or any number of them."""

GatedProduct: TypeAlias = Float[Tensor, "*B F F"]
"""A matrix over pairs of token features: an update of the state, or the state itself."""

LinearWeight: TypeAlias = Float[Tensor, "*B D K"]
"""W of the implicit linear model y = Wᵀx (the transpose of `torch.nn.Linear.weight`)."""
