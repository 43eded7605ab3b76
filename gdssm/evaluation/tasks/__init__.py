"""Distributions of in-context regression tasks; all are frozen and all are sampled by `sample`.

The call and what it returns:
    task            what a distribution offers
    batch           the sampled tasks
The distributions:
    linear          y = Wᵀx, one output or many
    noisy_linear    the same, observed with noise
    sparse_linear   few inputs matter
    correlated      inputs of a given condition number
    stretched       a linear task out of its range
    sine            amplitude and phase of a sine
    random_network  a random network of two layers
    drift           weights that change along the context
What they share:
    inputs          uniform inputs of context and queries
    streams         random streams that do not disturb each other
"""
