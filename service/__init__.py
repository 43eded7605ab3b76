"""In-context regression over HTTP, on onnxruntime, without torch.

Web-free:
    artifact      the contract of a model file: its manifest
    runtime       one model file in one onnxruntime session
    shapes        the sizes behind the letters B, N, M, D, K
    merge         two states of one model into one, without the model
    signature     whether a manifest describes the one signature that everything relies on
    model_file    the files of a directory, read so that nothing that lies there can hang or flood the reader
    trial         a stranger's model file is opened for the first time in a process of its own
    directories   the model files of some directories, as they were last found
    catalogue     which models there are at one moment, by name and version
    unloaded      which of them an administrator took out of service
    repository    the models of some directories, kept up to date while they are served
    predictor     observations and queries in, predictions out
    implicit_weights  the linear model that a context amounts to
    contributions     how much every observation adds to every prediction
    explanation   a prediction with the reasons for it
    inference     batched tensors in and out, named as in the graph
    tensors       arrays from binary bodies, and safetensors
    forgetting    how a state fades where old observations count less
    memory        what a context remembers: its state, and how its observations looked
    portable      a memory as bytes, and back again if nothing is wrong with them
    context_record  what is told of a context, and on which terms it is changed
    shelf         where contexts are kept: taken out and put back within one transaction
    contexts      contexts that live on the server: made, fed, asked, joined, removed
    store         the database: its tables, their steps, the statements on them
    numbers       JSON lists to arrays, refusing what is not a number by its position
    table         a CSV file to arrays, chunk by chunk, refusing bad cells by line and column
    parquet       a Parquet file likewise, and one written
    file_task     two files to a context and its queries, columns matched by name
    column_file   one column written: CSV, Parquet, the standard output
    streaming     predictions where neither observations nor queries have to fit into memory
    errors        everything that can go wrong, as one tree
    settings      every setting, with its environment variable
    caller        who asks, and what they may do
    keys          API keys: made once, shown once, kept as a hash
    keyring       who a key belongs to, without asking the database for each request
    rate_limits   how often one key may ask
    evaluations   models beside reference learners, as jobs and as reports
    record        what is known of the request that is being answered
    metrics       what is counted and measured
    processes     memory, CPU time and open files of all workers together
    logs          lines for people or for machines, each with its request
    stopping      the time between the signal to stop and the end
    workers       several processes that do the same

Doors:
    api           the HTTP routes, the only place that knows FastAPI
    app           create_app(settings): wiring only
    serving       one process or several that listen, and leave without dropping anything
    cli           finds the commands, and tells every mistake in one line
    commands      serve, predict, models, eval, bench, keys
    client        the Python client, and estimators for scikit-learn
    web           the playground page at /: plain files, see its README
    zoo           the model files that ship
"""
