"""Why a prediction is what it is.

implicit_weights  the linear model that a context amounts to, in the caller's units
contributions     how much every observation adds to every prediction
explanation       a prediction with either or both
"""
