"""Endpoints by resource.

predict        POST /v1/predict
tables         POST /v1/inspect, and the tables of POST /v1/predict
assess         POST /v1/assess: predictions of a table, compared with other methods
contexts       /v1/contexts: stored contexts
context_names  /v1/contexts/by-name/{name}: contexts under their callers' own names
context_tables  the parts of the routes of contexts that take rows of tables
batches        /v1/observations, /v1/predictions: many contexts in one request
context_state  export and import of contexts
stream         WebSocket /v1/contexts/{id}/stream
evaluations    /v1/evaluations: comparisons of models and reference learners, as jobs
models         GET /v1/models, /v1/models/{name}, /v1/models/{name}/versions/{version}
health         GET /health/live, /health/ready
metrics        GET /metrics
page           GET / and /web/…: the playground
v2             the Open Inference Protocol
"""
