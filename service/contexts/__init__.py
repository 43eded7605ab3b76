"""Contexts that live on the server: each a state of constant size, under an id, in the database.

service        creates, updates, merges and deletes contexts
reading        looks contexts up, and answers queries from them
batches        batches of an owner: observations, predictions, and contexts by their names
observing      observations of requests in one transaction; one of a stream is predicted, then learnt
requests       requests to create or to observe, with the fields by which one that is sent again is recognised
records        contexts as their owner sees them, and the rows that have them
record_repository  records without states: read by id, by name and in pages, written, and deleted when they expire
shards         contexts that are changed in several rows at the same time
repository     loads and saves contexts with their states
labels         names and labels: the rules
quota          the number of contexts of each owner, and of all for a metric, counted as they come and go
serialization  a state as safetensors bytes, and checks of the bytes of an import
state          the state of a context: how it begins, and how it answers queries
stacking       several contexts in one run of the graph
learning       checks observations, adds them and further levels to a state, and checks the result
history        observations with their names in a request, and what the sums do not say about earlier ones
precision      significant digits of the sums: an observation that would lose them is refused
removal        observations taken out: refused where the remaining sums would be wrong
merge          merges two contexts, and their states without the model
forgetting     fades a state: λ^(N−1−i)
drift          decay auto: a state for each of several factors, weighted by their predictions
tables         contexts of tables: rows become observations by the stored schema
tensors        the tensors of a state, and their stored form
idempotency    runs a change once for each Idempotency-Key
cache          LRU caches of loaded contexts and of readouts, and when the rows of cached contexts were last checked
"""
