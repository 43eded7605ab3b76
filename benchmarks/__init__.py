"""Measurements of the service and the models; `python -m benchmarks [NAMES]` runs them, README.md has the results.

accuracy        48 public and synthetic tables, compared with scikit-learn
batches         many contexts in one request, compared with a request for each
bulk            `gdssm predict` on ten million rows
cost            a prediction with an interval, compared with models that are fitted to the same rows
drift           streams that change: decay auto, fixed factors and river
evaluation_load predictions during an evaluation
files_passed    source files that one request passes
gpu             training on a card, compared with its bare matrix products and with the processor
graph           a model file compared with numpy_models, the same models in numpy
held_context    a query to a stored context, compared with a request that carries the context
hot_contexts    many clients that observe one context
infrastructure  code that replaces a library call, compared with that call
ingest          `gdssm ingest` compared with one observation at a time
many_contexts   a context among a million, compared with the same among ten
mixed_tables    accuracy on tables with categories and gaps
scale           time and memory against every size
serving         the service compared with hand-written servers and peers
start           time until a server answers, its memory and the size of its installation
stored_context  an observation into a stored context, and its bytes
training        a step of training, compared with plain implementations; convergence of the presets

results         the common format
report          the goals in README.md
timing, plots   calls that take turns; figures
zoo             the model files
"""
