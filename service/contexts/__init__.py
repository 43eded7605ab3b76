"""Contexts that live on the server: each a state (`service/states`), under an id, in the database.

service        creates, updates, merges and deletes contexts
reading        looks contexts up, and answers queries from them
batches        batches of an owner: observations, predictions, and contexts by their names
observing      observations of requests in one transaction; one of a stream is predicted, then learnt
requests       requests to create or to observe, with the fields by which one that is sent again is recognised
tables         contexts of tables: rows become observations by the stored schema
records        contexts as their owner sees them, and the rows that have them
repository     loads and saves contexts with their states
record_repository  records without states: read by id, by name and in pages, written, and deleted when they expire
serialization  a state as safetensors bytes, and checks of the bytes of an import
shards         contexts that are changed in several rows at the same time
labels         names and labels: the rules
quota          the number of contexts of each owner, and of all for a metric, counted as they come and go
idempotency    runs a change once for each Idempotency-Key
checked_versions  when the rows of cached contexts were last seen unchanged
learning       a name that older pickles have
"""
