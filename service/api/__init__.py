"""The HTTP doors: they translate, the predictor decides. Nothing else in the service imports the web framework.

predict    POST /v1/predict
models     GET /v1/models, /v1/models/{name}
health     GET /health/live, /health/ready
schemas    what goes in and out, with examples
fields     arrays of numbers as pydantic fields
body       the request body: its limit, its content type, its JSON, off the event loop
problems   pydantic's complaints in the words of `service.errors`
errors     the one table from errors to status codes, and the one body they all have
served     what every route works with
"""
