"""Why a prediction is what it is.

implicit_weights  the linear model that a context amounts to, in the caller's units
contributions     how much every observation adds to every prediction
effects           what every column adds to predictions, along its values
blocks            the strongest pairs of columns, and the blocks of features in the evidence
explanation       a prediction with any of these
terms             what effects, pairs and blocks are made of; as_tensors: the same as tensors by name
readout           the readout of a state, which all of these but the first read
features          the features that it is on, in numpy
"""
