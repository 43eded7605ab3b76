"""States of models: how they begin, learn, forget, merge and answer. Knows no database and no HTTP.

context_state  the state of a context: how it begins, and how it answers queries
stacking       several states in one run of the graph
learning       checks observations, adds them and further levels to a state, and checks the result
history        observations with their names in a request, and what the sums do not say about earlier ones
precision      significant digits of the sums: an observation that would lose them is refused
removal        observations taken out: refused where the remaining sums would be wrong
merge          merges two states, without the model
forgetting     fades a state: λ^(N−1−i)
drift          decay auto: a state for each of several factors, weighted by their predictions
tensors        the tensors of a state, and their stored form
readouts       a cache of what states answer with
"""
