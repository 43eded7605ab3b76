"""The sliding window: three neighbouring tokens, two steps at a time, (x_i, y_i, x_{i+1}).

The window is what lets a diagonal recurrence see an input beside its output (arXiv 2410.11687; v1: "local", v3:
"short sliding window").
"""

import torch

from gdssm.notation import Tokens, Windows

WIDTH = 3
STRIDE = 2
X, Y, NEXT_X = range(WIDTH)
"""The places in the window."""


def slide(tokens: Tokens) -> Windows:
    """View a sequence through the window.

    Args:
        tokens: T = 2N + 1 tokens (B, 2N + 1, F).

    Returns:
        Windows (B, N, 3, F); the last one ends with the query.
    """
    return torch.stack([tokens[:, :-2:STRIDE], tokens[:, 1:-1:STRIDE], tokens[:, 2::STRIDE]], dim=2)
