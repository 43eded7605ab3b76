"""In-context regression over HTTP, on onnxruntime, without torch.

Core, without the web framework:
    inference       predictions by a model file
    states          states of models: how they learn, forget, merge and answer
    contexts        contexts that are stored on the server, each a state
    registry        the models in service, by name and version
    explaining      explanations of predictions
    evaluations     comparisons of models with reference learners, as jobs
    access          API keys, rate limits and allowed sites
    tables          tables of any file or JSON: columns, schema, rows as numbers
    datasets        contexts and predictions of any number of files
    ingest          rows from a log
    store           the database: connection, tables, migrations
    observability   metrics and logs
    schemas         requests and responses, shared with the client

    errors          the errors of the service, as one tree
    settings        the settings, with their environment variables
    numbers         JSON lists as arrays of numbers
    real_numbers    the definition of a number
    column_names    names of columns
    levels          columns of x that are levels of categories
    lru_cache       a cache with a limit on bytes
    pandas_index    index columns of pandas frames
    visible         escapes control characters

Server and clients:
    app             create_app(settings)
    lifecycle       builds and closes the state of the app
    api             the HTTP API
    server          uvicorn in one process or several
    web             the playground page at /
    cli, commands   the command line
    client          the former names of `gdssm_client`
    zoo             the model files that ship
"""
