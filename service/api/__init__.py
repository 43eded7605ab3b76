"""The HTTP API: translates requests and responses.

Requests:
    endpoint             the description of an address, and the dispatch of its requests
    body                 reads, parses and validates a request body
    json_arrays          JSON with lists of numbers as arrays
    object_limits        limits on the names, objects, lists and texts of a JSON body
    safetensors_bodies   request bodies as safetensors
    parameters           parameters of paths and queries
    headers              the headers of a request by name
    preconditions        Idempotency-Key, ETag, If-Match, If-None-Match
    dependencies         parts of the service and the caller's resources, as FastAPI dependencies
    executor             runs work in the event loop or in a thread pool

Responses:
    representations      predictions as JSON or safetensors
    errors               status codes and bodies of errors
    validation_problems  pydantic's errors as problems of `service.errors`
    method_not_allowed   405 with all methods of an address
    openapi              the parts of the OpenAPI document that concern all routes

Process:
    state                the state of the app
    periodic             periodic work
    deadlines            many deadlines on one timer
    traces               OpenTelemetry spans
    route_templates      route templates of requests that a middleware refused
    request_connection, websocket_connection  uvicorn's connections, corrected

    routes               the endpoints
    middleware           observability, admission, authentication and others
"""
