"""One configuration of each baseline, comparable in size."""

from gdssm.baselines.diagonal import DiagonalSSM
from gdssm.baselines.gru import GRU
from gdssm.baselines.linear_attention import LinearSelfAttention
from gdssm.baselines.selective import SelectiveSSM
from gdssm.baselines.sequence import BaselineConfig
from gdssm.baselines.transformer import Transformer


def all_baselines(inputs: int, outputs: int, layers: int, *, windowed: bool) -> dict[str, BaselineConfig]:
    """List every baseline by its name.

    Args:
        inputs: D.
        outputs: K.
        layers: Of each.
        windowed: Whether they read the products of the sliding window instead of raw tokens.
    """
    return {
        "transformer": Transformer(inputs, outputs, 24, layers, windowed),
        "linear attention": LinearSelfAttention(inputs, outputs, 32, layers, windowed),
        "gru": GRU(inputs, outputs, 28, layers, windowed),
        "diagonal ssm": DiagonalSSM(inputs, outputs, 32, layers, windowed),
        "selective ssm": SelectiveSSM(inputs, outputs, 32, layers, windowed),
    }
