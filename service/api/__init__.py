"""The HTTP API: translates requests and responses.

Requests:
    request              its headers, the state of the app, its caller; as FastAPI dependencies too
    endpoint             the description of an address, and the dispatch of its requests
    body                 reads, parses and validates a request body
    json_arrays          JSON with lists of numbers as arrays
    object_limits        limits on the names, objects, lists and texts of a JSON body
    safetensors_bodies   request bodies as safetensors
    table_bodies         JSON bodies with tables
    table_files          files as bodies: CSV, Parquet, Arrow, JSON lines, spreadsheets
    batch_bodies         bodies with items for many contexts
    batch_items          their items: arrays, or rows of a table
    batch_requests       the items as requests to the core
    parameters           parameters of paths and queries
    preconditions        Idempotency-Key, ETag, If-Match, If-None-Match
    executor             runs work in the event loop or in a thread pool
    combining            learns the observations that wait for one context together

Responses:
    representations      predictions as JSON or safetensors
    table_representations  predictions of tables as JSON
    table_answers        predictions of tables as CSV, Parquet or Arrow
    batch_answers        a result for each item of a batch
    content_coding       the content coding of a response
    media_types          the content type of a response, by Accept
    errors               status codes and bodies of errors
    rate_limit_headers   RateLimit and RateLimit-Policy
    validation_problems  pydantic's errors as problems of `service.errors`
    method_not_allowed   405 with all methods of an address
    openapi              the parts of the OpenAPI document that concern all routes

Process:
    state                the state of the app
    periodic             periodic work
    traces               OpenTelemetry spans
    route_templates      route templates of requests that a middleware refused
    request_connection   uvicorn's HTTP connection, corrected

    routes               the endpoints
    middleware           observability, admission, access and others
"""
