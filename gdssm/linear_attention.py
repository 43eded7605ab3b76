"""Linear self-attention, with the weights of a gradient step and of a GD-SSM layer.

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

from gdssm.layer import GDSSMLayer
from gdssm.notation import Inputs, LinearWeight, Outputs, Predictions, Queries, Weight
from gdssm.tokens import embed_query
from gdssm.window import NEXT_X, X, Y


class LinearAttention(nn.Module):
    """One head of self-attention without a softmax; 5F² free weights.

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
        """Attend from T tokens to N others.

        Args:
            tokens: Queries (B, T, F).
            context: Keys and values (B, N, F); the tokens themselves for self-attention.
            weight: Weights of the context (B, N).
        """
        column = weight[..., None]
        count = column.sum(1, keepdim=True)
        written = (column * context @ self.key.mT).mT @ (context @ self.value.mT) / torch.where(count == 0, 1.0, count)
        return tokens @ self.query.mT @ written @ self.projection.mT + tokens @ self.skip.mT

    def predict(self, x: Inputs, y: Outputs, weight: Weight, x_query: Queries) -> Predictions:
        """Predict (B, M, K) for M queries (B, M, D) from a context (B, N, D), (B, N, K)."""
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


def from_layer(layer: GDSSMLayer, inputs: int) -> LinearAttention:
    """Translate a GD-SSM layer to attention; under three conditions the predictions at the last window are equal.

    A query token has no y, so the prediction reads only the rows of x of the state, Z[x, ·] = Σ_i x_i (P₁₁ x_i + P₁₂
    y_i)ᵀ under the conditions below. Then W_K picks x, W_V = diag(P₁₁ on x, P₁₂ on y), W_Q = p₃ I, W_P = C and S
    becomes p₃ S. The second row of P, and entries that C does not read for the prediction, are arbitrary. (For a query
    with a y, the block of x and y in P would have to be of rank one, one head for each rank.) The conditions:

    - the query is the last token of the window alone, p₁ = p₂ = 0;
    - the gate multiplies no token of one observation with one of the next, P₁₃ = P₃₁ = P₃₂ = P₃₃ = 0;
    - the decay of the states that are read is 1.

    Args:
        layer: Trained or constructed; deviations from the conditions are dropped.
        inputs: D; the other features are outputs.
    """
    pair, query, readout = (
        tensor.detach() for tensor in (layer.input_gate.pair_weight, layer.output_gate.query_weight, layer.readout)
    )
    identity = torch.eye(len(readout), dtype=readout.dtype)
    value = torch.cat([pair[X, X].expand(inputs), pair[X, Y].expand(len(readout) - inputs)])
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
