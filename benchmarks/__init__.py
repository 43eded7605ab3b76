"""Measurements, each against peers in one run; `make bench` runs them once the tests have passed. See README.md.

graph         a model file beside numpy with the same thread
held_context  a query to a context on the server beside one that brings its context
stored_context  one observation into a stored context, and its bytes, of two models
serving       the service beside others and beside the limit
start         how soon a server answers, what memory and disk it takes
scale         time and memory against every size
bulk          `gdssm predict` on ten million rows
training      a step of training beside plain ways to write it
summary       the goals of all these, as the README shows them
accuracy      on 48 public and synthetic tables, compared with what scikit-learn has
cost          what a prediction with an interval costs, compared with models that are fitted to the same rows
drift         decay auto on streams that change, compared with fixed factors and river

By hand: convergence (five seeds of the one-layer presets), selection (the settings of the multi-step ones),
beside_evaluation (predictions while an evaluation runs), serving.instructions and serving.profiling (single figures).

results       where each leaves what it found
table, plots  how it is told
zoo           the model files
"""
