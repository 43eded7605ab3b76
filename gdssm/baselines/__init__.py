"""Sequence models to compare with: well-known layers, small, all asked the same way.

Shared by all of them:
    front              what a model reads: the raw tokens, or the products of the sliding window
    sequence           front, body, and a head at the last position; the sizes they share
The models, one a file:
    transformer        softmax self-attention
    linear_attention   self-attention without a softmax
    gru                a gated recurrent unit
    diagonal           a diagonal linear state-space model, as S5
    selective          a state-space model whose step and projections depend on the input, as Mamba
All of them:
    catalog            one configuration of each, comparable in size

Nothing here is imported for you: `from gdssm.baselines.catalog import all_baselines`.
"""
