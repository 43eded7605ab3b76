"""The Open Inference Protocol, version 2, over REST: the doors for clients that were not written for this service.

routes       every route of the protocol, as one router
server       GET /v2, /v2/health/live, /v2/health/ready
models       GET /v2/models/{name}[/versions/{version}][/ready]
infer        POST /v2/models/{name}[/versions/{version}]/infer
repository   POST /v2/repository/index, /v2/repository/models/{name}/load, /unload
named        which model an address names
schemas      what goes in and out, with examples
parameters   numbers for the model, and what belongs to other servers
datatypes    the protocol's names of numpy's dtypes
body         a body of JSON, or of JSON and binary tensors after it
answer       what a model made, as it was asked for
json_codec   a tensor as JSON numbers
binary       a tensor as bytes after the JSON
"""
