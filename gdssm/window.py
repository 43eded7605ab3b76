"""The sliding window: three neighbouring tokens with stride two, (x_i, y_i, x_{i+1}).

By the window a diagonal recurrence reads an input with its output (arXiv 2410.11687; v1: "local", v3: "short sliding
window").
"""

import torch

from gdssm.notation import Tokens, Windows

WIDTH = 3
STRIDE = 2
X, Y, NEXT_X = range(WIDTH)
"""The places in the window."""


def slide(tokens: Tokens) -> Windows:
    """Return the windows (B, N, 3, F) of 2N + 1 tokens; the last one ends with the query."""
    return torch.stack([tokens[:, :-2:STRIDE], tokens[:, 1:-1:STRIDE], tokens[:, 2::STRIDE]], dim=2)
