"""Endpoints by resource.

predict        POST /v1/predict
contexts       /v1/contexts: stored contexts
context_state  export and import of contexts
stream         WebSocket /v1/contexts/{id}/stream
evaluations    /v1/evaluations: comparisons of models and reference learners, as jobs
models         GET /v1/models, /v1/models/{name}, /v1/models/{name}/versions/{version}
health         GET /health/live, /health/ready
metrics        GET /metrics
page           GET / and /web/…: the playground
v2             the Open Inference Protocol
"""
