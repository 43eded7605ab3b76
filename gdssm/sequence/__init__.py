"""The block as a causal layer for any sequence: (B, T, H) to (B, T, H).

descent         K gradient steps at every position, by chunks or position by position
window          the causal window, sliding by one position
diagonal        a diagonal recurrence next to it, for order
layer           projections, window, gates, descent, norm and output gate
regression      such blocks as a model of in-context regression, which can be served
language_model  residual blocks with a gated perceptron, and a small language model of them

`from gdssm.sequence.layer import SequenceLayer`: the package imports nothing.
"""
