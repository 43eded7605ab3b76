"""In-context regression over HTTP, on onnxruntime, without torch.

The core, web-free:
    inference  observations and queries in, predictions out, by a model file
    levels     columns of x that are levels of categories, also new ones
    column_names  names of columns, as a request brings them and a context keeps them
    numbers    JSON lists to arrays, refusing what is not a number by its position
    real_numbers  what a number is, at every door
    pandas_index  the columns of a table that are the index of a pandas frame
    visible    text from outside without control characters
    errors     everything that can go wrong, as one tree
    settings   every setting, with its environment variable

Around it, a package for each concern, web-free too:
    models       which models are served, by name and version
    contexts     contexts that live on the server
    explaining   why a prediction is what it is
    evaluations  models beside reference learners, as jobs and as reports
    access       who may ask, and how often
    files        CSV and Parquet, in chunks
    store        the database: its tables, their steps, the statements on them
    signals      metrics, logs, and what is known of a request

Doors:
    api       the HTTP routes, the only place that knows FastAPI
    app       create_app(settings): wiring only
    running   one process or several that listen
    cli       finds the commands, and tells every mistake in one line
    commands  serve, predict, models, eval, bench, keys
    client    the Python client, and estimators for scikit-learn
    web       the playground page at /: plain files, see its README
    zoo       the model files that ship
"""
