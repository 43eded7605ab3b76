"""The Open Inference Protocol, version 2, over REST, for the clients of other inference servers.

routes       the routers of the protocol
server       GET /v2, /v2/health/live, /v2/health/ready
models       GET /v2/models/{name}[/versions/{version}][/ready]
infer        POST /v2/models/{name}[/versions/{version}]/infer
repository   POST /v2/repository/index, /v2/repository/models/{name}/load, /unload
model_dependencies  the model that an address names
schemas      requests and responses, with examples
parameters   numeric parameters of the model, and parameters of other servers
datatypes    the protocol's names of numpy dtypes
body         bodies of JSON, or of JSON followed by binary tensors
response     the requested outputs as a response
json_codec   a tensor as JSON numbers
binary       a tensor as bytes after the JSON
"""
