"""One configuration of each baseline, comparable in size."""

from gdssm.baselines.attention import LinearSelfAttention, Transformer
from gdssm.baselines.recurrent import GRU, DiagonalSSM, SelectiveSSM
from gdssm.baselines.sequence import BaselineConfig


def all_baselines(inputs: int, outputs: int, layers: int, *, windowed: bool) -> dict[str, BaselineConfig]:
    """Return every baseline by its name, for D inputs and K outputs."""
    return {
        "transformer": Transformer(inputs, outputs, 24, layers, windowed),
        "linear attention": LinearSelfAttention(inputs, outputs, 32, layers, windowed),
        "gru": GRU(inputs, outputs, 28, layers, windowed),
        "diagonal ssm": DiagonalSSM(inputs, outputs, 32, layers, windowed),
        "selective ssm": SelectiveSSM(inputs, outputs, 32, layers, windowed),
    }
