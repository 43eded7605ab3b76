"""Linear self-attention, and the weights that make it a gradient step and a GD-SSM layer.

An observation is one token e_i = [x_i; y_i], the query is [x_query; 0]. Without a softmax, attention is a matrix that
the context writes and a token reads, here divided by the number of observations:

    o = S e + W_P (1/N Σ_i W_V e_i (W_K e_i)ᵀ) W_Q e

W_K = [I 0; 0 0] and W_V = [0 0; −W₀ᵀ I] make it mean (y − W₀ᵀx) xᵀ, the negative gradient of ½·mean‖y − Wᵀx‖² at W₀.
(von Oswald et al. 2023, "Transformers learn in-context by gradient descent", proposition 1, with two differences: the
1/N stands in the layer instead of W_P; and the residual path S, there the identity, adds W₀ᵀx_query, which there stands
in the query token with the opposite sign.)
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.construction import place
from gdssm.layer import GDSSMLayer
from gdssm.notation import Inputs, LinearWeight, Outputs, Predictions, Queries, Weight
from gdssm.tokens import embed_query
from gdssm.window import NEXT_X, X, Y


class LinearAttention(nn.Module):
    """One head of self-attention without a softmax, every one of its weights free: 5F² of them.

    Args:
        query: W_Q (F, F).
        key: W_K (F, F).
        value: W_V (F, F).
        projection: W_P (F, F).
        skip: S (F, F); the identity makes it the usual residual path.
    """

    def __init__(self, query: Tensor, key: Tensor, value: Tensor, projection: Tensor, skip: Tensor) -> None:
        super().__init__()
        self.query = nn.Parameter(query)
        self.key = nn.Parameter(key)
        self.value = nn.Parameter(value)
        self.projection = nn.Parameter(projection)
        self.skip = nn.Parameter(skip)

    def forward(
        self, tokens: Float[Tensor, "B T F"], context: Float[Tensor, "B N F"], weight: Weight
    ) -> Float[Tensor, "B T F"]:
        """Let T tokens read N others.

        Args:
            tokens: Those that ask (B, T, F).
            context: Those that are read (B, N, F); the tokens themselves for self-attention.
            weight: How much each of these counts (B, N).
        """
        column = weight[..., None]
        count = column.sum(1, keepdim=True)
        written = (column * context @ self.key.mT).mT @ (context @ self.value.mT) / torch.where(count == 0, 1.0, count)
        return tokens @ self.query.mT @ written @ self.projection.mT + tokens @ self.skip.mT

    def predict(self, x: Inputs, y: Outputs, weight: Weight, x_query: Queries) -> Predictions:
        """Read a context (B, N, D), (B, N, K) and answer M queries (B, M, D) with (B, M, K)."""
        answer: Tensor = self(embed_query(x_query, y.shape[-1]), torch.cat([x, y], -1), weight)
        return answer[..., x.shape[-1] :]


def one_step(inputs: int, outputs: int, learning_rate: float, dtype: torch.dtype = torch.float32) -> LinearAttention:
    """Make the attention that takes one gradient step from W₀ = 0."""
    return one_step_from(torch.zeros(inputs, outputs, dtype=dtype), learning_rate)


def one_step_from(initial_weight: LinearWeight, learning_rate: float) -> LinearAttention:
    """Make the attention that takes one gradient step from any W₀.

    Args:
        initial_weight: W₀ (D, K).
        learning_rate: η.
    """
    inputs, outputs = initial_weight.shape
    identity = torch.eye(inputs + outputs, dtype=initial_weight.dtype)
    value = identity.clone()
    value[:inputs] = 0.0
    value[inputs:, :inputs] = -initial_weight.mT
    skip = identity.clone()
    skip[inputs:, :inputs] = initial_weight.mT
    return LinearAttention(identity.clone(), _inputs_only(identity, inputs), value, learning_rate * identity, skip)


def from_layer(layer: GDSSMLayer, inputs: int, tolerance: float = 1e-6) -> LinearAttention:
    """Turn a GD-SSM layer into the attention that gives the same prediction at the last window.

    A query token has no y, so of the state only the rows of x are read, Z[x, ·] = Σ_i x_i (P₁₁ x_i + P₁₂ y_i)ᵀ if the
    following hold; then W_K picks x, W_V = diag(P₁₁ on x, P₁₂ on y), W_Q = p₃ I, W_P = C and S becomes p₃ S. The
    second row of P, and whatever C does not read for the prediction, may be anything. (For a query that has a y, the
    places x and y of P would have to be of rank one, one head for each rank.) The conditions:

    - the query is the last token of the window alone, p₁ = p₂ = 0;
    - the gate multiplies no token of one observation with one of the next, P₁₃ = P₃₁ = P₃₂ = P₃₃ = 0;
    - nothing that is read fades, Λ = 1.

    Args:
        layer: Trained or constructed.
        inputs: D; the other features are outputs.
        tolerance: How far from exact each may be, relative to the largest weight on the same path to the prediction.

    Raises:
        ValueError: A condition does not hold; the message names it.
    """
    pair, query, readout = (
        tensor.detach() for tensor in (layer.input_gate.pair_weight, layer.output_gate.query_weight, layer.readout)
    )
    _refuse_other_queries(query, tolerance)
    read = readout[inputs:].abs().amax(0)
    _refuse_products_across_observations(pair, read, inputs, tolerance)
    value = torch.cat([pair[X, X].expand(inputs), pair[X, Y].expand(len(read) - inputs)])
    _refuse_fading(layer.decay.detach()[:inputs], value.abs() * read, tolerance)
    identity = torch.eye(len(read), dtype=readout.dtype)
    return LinearAttention(
        query[NEXT_X] * identity,
        _inputs_only(identity, inputs),
        value.diag(),
        readout.clone(),
        query[NEXT_X] * layer.skip.detach(),
    )


def _inputs_only(identity: Tensor, inputs: int) -> Tensor:
    """The projection that keeps x of a token."""
    key = identity.clone()
    key[inputs:] = 0.0
    return key


def _refuse_other_queries(query: Tensor, tolerance: float) -> None:
    other = (query * (1.0 - place(NEXT_X, query.dtype))).abs().max()
    if other > tolerance * query.abs().max():
        raise ValueError(
            f"The query weight must pick x_{{i+1}} alone; it is {query.tolist()}. "
            "Attention's query is one token: train further, or allow a larger tolerance."
        )


def _refuse_products_across_observations(pair: Tensor, read: Tensor, inputs: int, tolerance: float) -> None:
    """Refuse what reaches the rows of x of the state from two observations, and from there the prediction."""
    read_x, read_y = read[:inputs].max(), read[inputs:].max()
    path = pair.abs() * torch.stack([read_x, read_y, read_x])
    across = torch.maximum(path[X, NEXT_X], path[NEXT_X].max())
    if across > tolerance * path[X, :NEXT_X].max():
        raise ValueError(
            f"The pair weight must not multiply x_{{i+1}} with anything; it is {pair.tolist()}. "
            "A token of attention is one observation: train further, or allow a larger tolerance."
        )


def _refuse_fading(decay: Tensor, used: Tensor, tolerance: float) -> None:
    """Refuse a decay (D, F) other than one in a column that is used (F)."""
    if ((1.0 - decay).abs() * used).max() > tolerance * used.max():
        furthest = decay[:, used > tolerance * used.max()]
        raise ValueError(
            f"The decays of the states that are read must be 1; they are {float(furthest.min())} to "
            f"{float(furthest.max())}. Attention weighs all observations alike: allow a larger tolerance to ignore it."
        )
