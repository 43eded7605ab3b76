"""Sequence models to compare with: known layers, small, with one interface.

sequence   the frame: embedding of tokens or windows, body, head
attention  softmax and linear self-attention
recurrent  GRU, diagonal and selective state-space models
catalog    one configuration of each
"""
