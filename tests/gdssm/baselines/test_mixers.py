"""The state-space layers against their equations, written out one position at a time."""

import torch
from torch import Tensor, nn

from gdssm.baselines.recurrent import DiagonalMixer, SelectiveMixer
from tests.closeness import assert_close

T, H, S = 7, 5, 3


def positions() -> Tensor:
    return torch.randn(1, T, H, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_the_diagonal_layer_is_its_equations() -> None:
    torch.manual_seed(0)
    mixer, u = DiagonalMixer(H, S).double(), positions()
    pole = torch.complex(-mixer.log_damping.exp(), mixer.frequency)
    write, read = torch.view_as_complex(mixer.write), torch.view_as_complex(mixer.read)
    decay = torch.exp(pole * mixer.log_step.exp())
    state, outputs = torch.zeros(S, dtype=decay.dtype), []
    for u_t in u[0]:
        state = decay * state + (decay - 1) / pole * (write @ u_t.to(decay.dtype))
        value = nn.functional.gelu((read @ state).real + mixer.feedthrough * u_t)
        outputs.append(value * torch.sigmoid(mixer.gate(value)))
    assert_close(mixer(u)[0], torch.stack(outputs), "output")
    assert (decay.abs() < 1).all()


def test_the_selective_layer_is_its_equations() -> None:
    torch.manual_seed(0)
    mixer, u = SelectiveMixer(H, S, 4).double(), positions()
    value, gate = mixer.enter(u[0]).split(H, -1)
    padded = nn.functional.pad(value, (0, 0, 3, 0))
    kernel, bias = mixer.convolution.weight[:, 0], mixer.convolution.bias
    assert bias is not None
    state, outputs = torch.zeros(H, S, dtype=torch.float64), []
    for t in range(T):
        v = nn.functional.silu((kernel * padded[t : t + 4].T).sum(-1) + bias)
        step = nn.functional.softplus(mixer.step(v))
        write, read = mixer.select(v).split(S)
        state = torch.exp(-step[:, None] * mixer.log_decay.exp()) * state + step[:, None] * torch.outer(v, write)
        outputs.append(mixer.leave((state @ read + mixer.feedthrough * v) * nn.functional.silu(gate[t])))
    assert_close(mixer(u)[0], torch.stack(outputs), "output")


def test_layers_are_causal() -> None:
    torch.manual_seed(0)
    u = positions()
    changed = u.clone()
    changed[:, 4:] += 1.0
    for mixer in (DiagonalMixer(H, S).double(), SelectiveMixer(H, S, 4).double()):
        assert_close(mixer(changed)[:, :4], mixer(u)[:, :4], "outputs before the change")
