"""Explanations of predictions.

explanation       explanations of a prediction and of a context
implicit_weights  the linear model that a context is equivalent to
contributions     the contribution of each observation to each prediction
effects           effects of columns, the strongest pairs of columns, and blocks of features
terms             the parts of an explanation; as_tensors: the same as tensors by name
readout           the readout of a state, which effects, pairs and blocks use
features          the features of the readout, in numpy
"""
