"""Measurements of the service and the models; `python -m benchmarks [NAMES]` runs them, README.md has the results.

accuracy        48 public and synthetic tables, compared with scikit-learn
batches         many contexts in one request, compared with a request for each; rows of a log by `gdssm ingest`
bulk            `gdssm predict` on ten million rows; bulk_methods: the methods, each in a process
cost            a prediction with an interval, compared with models that are fitted to the same rows
drift           streams that change: decay auto, fixed factors and river
evaluation_load predictions during an evaluation
files           contexts of many files, in processes and on a Ray cluster; ray_engines: commands on that cluster
gpu             training on a card, compared with its bare matrix products and with the processor
graph           a model file compared with the same model in numpy
hot_contexts    many clients that observe one context
infrastructure  code that replaces a library call, compared with that call; source files that one request passes
mad             two recall tasks of the MAD suite, on a card
many_contexts   a context among a million, compared with the same among ten
mixed_csv       `gdssm predict` on a CSV file with categories and gaps
mixed_tables    accuracy on tables with categories and gaps
presets         convergence of the presets that ship, and their selection
scale           time and memory against every size; scale_sizes: of one size, in a process
serving         the service compared with hand-written servers and peers
start           time until a server answers, its memory and the size of its installation
stored_context  a query to a stored context, an observation into it, and its bytes
training        a step of training, compared with plain implementations

results         the common format, and the section of README.md
databases       databases with many contexts, and a PostgreSQL server
models          the model files that ship
processes       costs of processes
timing, plots   calls that take turns; figures
"""
