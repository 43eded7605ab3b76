"""The HTTP doors: they translate, the predictor decides. Nothing else in the service imports the web framework.

predict    POST /v1/predict
contexts   /v1/contexts: what lives on the server and learns as observations arrive
context_state  a context as bytes, out of one service and into another
stream     the WebSocket of a context: predict, then learn
conditions Idempotency-Key, ETag, If-Match, If-None-Match
allowed    405 with every method that an address takes
own        the caller's own contexts and evaluations
evaluations  /v1/evaluations: models beside reference learners, as jobs
models     GET /v1/models, /v1/models/{name}, /v1/models/{name}/versions/{version}
upkeep     what is done again and again while the service runs
health     GET /health/live, /health/ready
page       GET / and /web/…: the playground
parameters parameters of paths and queries
body       the request body: its limit, its content type, its JSON, off the event loop
json_arrays  JSON whose lists of numbers are arrays at once; held to the parser of record
headers    the headers of a request by name
ready      an answer that needs nothing worked out
direct     frequent routes answered without the framework's general machinery
work       where work runs: in the event loop, or in a bounded pool
binary     bodies and answers as safetensors, where there are arrays in them
v2         the Open Inference Protocol
problems   pydantic's complaints in the words of `service.errors`
errors     the one table from errors to status codes, and the one body they all have
served     what every route works with
signals    the outermost layer: an id, times, a log line and a place in the metrics for every request
templates  the template of an address that was refused before it came to the routes
admission  how much is taken in at a time
patience   one clock for everybody who waits
sites      refuses requests of foreign web pages and to unknown names
keys       who may come in; reads the key before anything of the body is
head       HEAD as GET without its body
prefix     the path below which a reverse proxy shows the service
live       open WebSockets: so many, and ended with a word
security_headers  what a page may do
requests   requests as clients of other servers send them
handshakes a refused WebSocket handshake is a complete one
transport  what comes before a request, bounded in size and time
traces     OpenTelemetry spans, where they are asked for
metrics    GET /metrics
openapi    what the documentation says of every route that needs a key
"""
