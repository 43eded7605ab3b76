"""Distributions of in-context regression tasks; all are frozen and all are sampled by `sample`.

The call and what it returns:
    task            what a distribution offers
    batch           the sampled tasks
The distributions:
    linear          y = Wᵀx, one output or many
    noisy           any of them, observed with noise, normal or with heavy tails
    sparse_linear   few inputs matter
    correlated      inputs of a given condition number
    heavy_tailed    inputs with heavy tails
    stretched       a linear task out of its range
    sine            amplitude and phase of a sine
    additive        a sum of a sine of every input
    friedman        Friedman's first function
    random_network  a random network of two layers
    drift           weights that change along the context
    rows            random splits of a table
    shipped_table   random splits of a table that ships
What they share:
    inputs          uniform inputs of context and queries
    streams         random streams that do not disturb each other
"""
