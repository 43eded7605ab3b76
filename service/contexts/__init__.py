"""Contexts that live on the server: each a state of constant size, under an id, in the database.

service           creates, updates, queries, merges and deletes contexts
context_record    a context as its owner sees it, and the conditions of a change
repository        the rows of contexts, and their SQL
idempotency       runs a change once for each Idempotency-Key
cache             LRU caches of loaded contexts and of readouts
context_count     the number of contexts, for metrics
state             the state of a context, and how observations, queries and other states change it
learning          adds observations with the decay of the context, adds states, and checks the result
rows              observations with their names in a request
column_order      named columns of a request, put into the order of the context
steps             one message of a stream: predict, then learn
precision         significant digits of the sums: an observation that would lose them is refused
removal           observations taken out: refused where the remaining sums would be wrong
history           distinguishes a constant column from one whose variation was lost to rounding
merge             merges two states of one model, without the model
fitting           checks that observations and queries fit a context
forgetting        fades a state: λ^(N−1−i)
drift             decay auto: a state for each of several factors, weighted by their predictions
compact           half of a symmetric state, for storage
state_validation  checks values of an imported state
serialization     a state as safetensors bytes with a header, and validation of such bytes
"""
