"""In-context regression over HTTP, on onnxruntime, without torch.

Web-free:
    artifact      the contract of a model file: its manifest
    runtime       one model file in one onnxruntime session
    shapes        the sizes behind the letters B, N, M, D, K
    merge         two states of one model into one, without the model
    repository    the model files of a directory, by name
    predictor     observations and queries in, predictions out
    numbers       JSON lists to arrays, refusing what is not a number by its position
    table         CSV files to arrays, refusing bad cells by row and column
    csv_task      two CSV files to a context and its queries, columns matched by name
    errors        everything that can go wrong, as one tree
    settings      every setting, with its environment variable

Doors:
    api           the HTTP routes, the only place that knows FastAPI
    app           create_app(settings): wiring only
    cli           serve, predict
    zoo           the model files that ship
"""
