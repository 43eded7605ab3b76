"""Evaluations of models and reference learners, on tasks that a seed determines.

request     a request, with limits on its size
result      the metrics of one learner on one distribution
models      a model as a learner
jobs        the queue of evaluations on the server, run one at a time
job_store   evaluations in the database
process     the worker process of one evaluation, as the server sees it
worker      the program of that process
report      the report of `gdssm eval`, as JSON and Markdown
drawing     its learning curves, as SVG
thresholds  conditions under which `gdssm eval` fails
comparison  regressions between two reports
"""
