"""The product Z v of the last state Z = Σ_i Λ^{N−i} ⊙ X_iᵀ P X_i with a vector, computed without the state.

The window (x_i, y_i, x_{i+1}) spans two pairs z_i = (x_i, y_i), so no windows are made either. Λ^{N−i} is the same for
every context: one matrix product per position serves the whole batch and does nearly all of the arithmetic. x_j is
multiplied with two powers, as x_{i+1} of one window and as x_i of the next; they are adjacent in memory and form one
matrix. Each element then costs two products and two sums, because P and v are applied outside the sum over i.

Time is the first axis and the batch the last: each position is one contiguous matrix with long rows. Positions are
processed in blocks (`blocks`): on a processor intermediate results stay in its cache, on a card a block has as many
positions as its memory allows.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.blocks import block_length
from gdssm.notation import Inputs, Outputs, Queries
from gdssm.window import NEXT_X, X, Y


class DecayedGramOperator:
    """Zᵀ or Z of a batch of sequences as an operator on vectors.

    Args:
        decay_logit: The logit of Λ (F, F).
        pair_weight: P (3, 3). With both transposed this is Zᵀ.
        x: (B, N, D).
        y: (B, N, K).
        x_query: (B, 1, D).
    """

    def __init__(self, decay_logit: Tensor, pair_weight: Tensor, x: Inputs, y: Outputs, x_query: Queries) -> None:
        self.pair_weight = pair_weight
        by_x, by_y = torch.split(decay_powers(decay_logit, x.shape[1]), [x.shape[2], y.shape[2]], 2)
        self.powers = nn.functional.pad(by_x, (0, 0, 0, 0, 1, 1)), by_y.contiguous()
        x, y, x_query = (tensor.permute(1, 2, 0) for tensor in (x, y, x_query))
        self.x, self.y = torch.cat([x, x_query]), y.contiguous()
        pad = nn.functional.pad
        self.pairs = torch.cat([pad(self.x, (0, 0, 0, 0, 1, 1)), pad(self.y, (0, 0, 0, 0, 1, 2))], dim=1)

    def __call__(self, vector: Float[Tensor, "F _"]) -> Float[Tensor, "F B"]:
        """Return Z v for one vector v per context (F, B), or for one vector that all contexts share (F, 1)."""
        sizes = [self.x.shape[1], self.y.shape[1]]
        (by_x, by_y), (for_x, for_y) = self.powers, torch.split(vector.contiguous(), sizes)
        if vector.shape[1] != 1:
            of_x = _Products.apply(by_x, self.x, for_x, self.pairs)  # type: ignore[no-untyped-call]
            of_y = _Products.apply(by_y, self.y, for_y, self.pairs[1:-1])  # type: ignore[no-untyped-call]
        else:  # The shared v is folded into the powers of Λ: backward then needs no matrix product per context.
            of_x = _Products.apply(by_x * for_x[:, 0], self.x, None, self.pairs)  # type: ignore[no-untyped-call]
            of_y = _Products.apply(by_y * for_y[:, 0], self.y, None, self.pairs[1:-1])  # type: ignore[no-untyped-call]
        by_place = torch.cat([of_x[:, 1:], of_y, of_x[:, :1]], dim=1)
        at_inputs, at_outputs = torch.split(by_place, sizes, 2)
        sums = (
            torch.tensordot(self.pair_weight[X::NEXT_X], at_inputs, 2),
            torch.tensordot(self.pair_weight[Y], at_outputs[0], 1),
        )
        return torch.cat(sums)


def decay_powers(decay_logit: Tensor, length: int) -> Float[Tensor, "N F F"]:
    """Raise Λ to the age N − 1 … 0 of every position."""
    age = torch.arange(length - 1, -1, -1, dtype=decay_logit.dtype, device=decay_logit.device)
    return torch.exp(age[:, None, None] * nn.functional.logsigmoid(decay_logit))


def products_by_definition(decays: Tensor, right: Tensor, vector: Tensor | None, left: Tensor) -> Tensor:
    """Return what `_Products` returns, by differentiable operations on all positions at once."""
    count, powers = len(right), len(left) - len(right)
    scaled = right if vector is None else right * vector
    faded = torch.einsum("jefc,jfb->jceb", decays.unfold(0, powers, 1), scaled)
    lefts = left.unfold(0, powers, 1).permute(0, 3, 1, 2)
    return torch.stack([(faded * lefts[a : a + count]).sum(0) for a in (0, 1)])


class _Products(torch.autograd.Function):
    """Σ_j l_{j+a+c} ⊙ (Λ_{j+c} (r_j ⊙ v)) for a = 0, 1 and each of the powers c = 0 … C − 1 that r_j meets.

    Args:
        decays: Λ's powers (J + C − 1, E, F).
        right: r (J, F, B).
        vector: v (F, B), or none.
        left: l (J + C, E, B).

    Returns:
        (2, C, E, B).
    """

    @staticmethod
    def forward(decays: Tensor, right: Tensor, vector: Tensor | None, left: Tensor) -> Tensor:
        products = left.new_zeros(2, len(left) - len(right), *left.shape[1:])
        for powers, r, lefts, _ in _blocks(decays, right, left):
            faded = (powers @ (r if vector is None else r * vector)).view_as(lefts[0])
            for a in (0, 1):
                products[a] += (faded * lefts[a]).sum(0)
        return products

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ANN401
        ctx.save_for_backward(*inputs)
        kind = output.device.type
        ctx.low = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        wanted = tuple(ctx.needs_input_grad)
        # In a plain backward pass the function is called by itself: `apply` costs a tenth of a small step.
        is_plain = not torch.is_grad_enabled() and not torch._C._are_functorch_transforms_active()  # noqa: SLF001
        gradients: Callable[..., Iterable[Tensor]] = _Gradients.forward if is_plain else _Gradients.apply
        low = torch.autocast(gradient.device.type, ctx.low, cache_enabled=False) if ctx.low else nullcontext()
        with low:
            found = iter(gradients(gradient, *ctx.saved_tensors, wanted))
        return tuple(next(found) if is_wanted else None for is_wanted in wanted)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[Tensor, int]:  # noqa: ANN401
        results = [_Products.apply(*one) for one in _unstacked(info, in_dims, arguments)]  # type: ignore[no-untyped-call]
        return torch.stack(results), 0


class _Gradients(torch.autograd.Function):
    """The gradients of `_Products`, those that are wanted; differentiable again, by the definition."""

    @staticmethod
    def forward(  # noqa: PLR0917  (torch passes arguments by position)
        gradient: Tensor, decays: Tensor, right: Tensor, vector: Tensor | None, left: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor, ...]:
        gradient = gradient.contiguous()
        to_decays = torch.zeros_like(decays)
        to_right, to_vector, to_left = (
            torch.zeros_like(tensor) if is_wanted and tensor is not None else None
            for tensor, is_wanted in zip((right, vector, left), wanted[1:], strict=True)
        )
        for powers, r, lefts, block in _blocks(decays, right, left):
            weighed = (lefts[0] * gradient[0]).addcmul_(lefts[1], gradient[1]).flatten(1, 2)
            scaled = r if vector is None else r * vector
            by_power = (weighed @ scaled.mT).view(len(r), -1, *decays.shape[1:])
            for c, part in enumerate(by_power.unbind(1)):
                to_decays[block.start + c : block.stop + c] += part
            if to_vector is not None or to_right is not None:
                to_scaled = powers.mT @ weighed
            if to_vector is not None:
                to_vector += (to_scaled * r).sum(0)
            if to_right is not None:
                to_right[block] = to_scaled if vector is None else to_scaled * vector
            if to_left is not None:
                faded = (powers @ scaled).view_as(lefts[0])
                for a, c in product((0, 1), range(faded.shape[1])):
                    to_left[block.start + a + c : block.stop + a + c].addcmul_(faded[:, c], gradient[a, c])
        return tuple(
            found
            for found, is_wanted in zip((to_decays, to_right, to_vector, to_left), wanted, strict=True)
            if is_wanted and found is not None
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:  # noqa: ANN401, ARG004
        *tensors, ctx.wanted = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        has_vector = ctx.saved_tensors[3] is not None

        def first(gradient: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
            pull = torch.func.vjp(products_of, *inputs)[1]
            found = pull(gradient)
            return tuple(part for part, is_wanted in zip(found, wanted, strict=True) if is_wanted)

        def products_of(*inputs: Tensor) -> Tensor:
            decays, right, *vector, left = inputs
            return products_by_definition(decays, right, vector[0] if has_vector else None, left)

        wanted = [is_wanted for place, is_wanted in enumerate(ctx.wanted) if place != VECTOR or has_vector]
        pull = torch.func.vjp(first, *(tensor for tensor in ctx.saved_tensors if tensor is not None))[1]
        second = list(pull(gradients))
        if not has_vector:
            second.insert(1 + VECTOR, None)
        return (*second, None)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[tuple[Tensor, ...], Any]:  # noqa: ANN401
        results = [_Gradients.apply(*one) for one in _unstacked(info, in_dims, arguments)]  # type: ignore[no-untyped-call]
        stacked = tuple(torch.stack(parts) for parts in zip(*results, strict=True))
        return stacked, (0,) * len(stacked)


VECTOR = 2
"""The place of the optional argument of `_Products`."""


def _unstacked(info: Any, in_dims: tuple[Any, ...], arguments: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Iterate over the calls of one `vmap`: blocks of positions share memory, which a further axis would not."""
    for i in range(info.batch_size):
        yield tuple(
            argument.select(dim, i).contiguous() if isinstance(dim, int) else argument
            for argument, dim in zip(arguments, in_dims, strict=True)
        )


def _blocks(
    decays: Tensor, right: Tensor, left: Tensor
) -> Iterator[tuple[Tensor, Tensor, tuple[Tensor, Tensor], slice]]:
    """Iterate over blocks of positions j.

    Yields:
        The powers of each position as one matrix (J, C E, F), r (J, F, B), l for a = 0, 1 (J, C, E, B) each, and the
        slice of the block. Adjacent positions share memory.
    """
    count, powers, (features, batch) = len(right), len(left) - len(right), left.shape[1:]
    length = block_length(left.device, powers * features * batch, left.element_size())
    for start in range(0, count, length):
        stop = min(start + length, count)
        stacked = decays[start:].as_strided((stop - start, powers * features, decays.shape[2]), decays.stride())
        now, following = (
            left[start + a :].as_strided((stop - start, powers, features, batch), (left.stride(0), *left.stride()))
            for a in (0, 1)
        )
        yield stacked, right[start:stop], (now, following), slice(start, stop)
