"""Explanations of predictions.

parts             the parts of an explanation, by name
explanation       explanations of a prediction and of a context
implicit_weights  the linear model that a context is equivalent to
contributions     the contribution of each observation to each prediction
effects           the effect of each column, along its values
blocks            the strongest pairs of columns, and the blocks of features
terms             the types of the parts; as_tensors: the same as tensors by name
readout           the readout of a state, which effects, pairs and blocks use
features          the features of the readout, in numpy
"""
