"""Evaluations: every model beside every reference learner, on tasks that a seed decides.

request    what is asked for
models     a model as a learner: in this process, or behind any function from tensors to tensors
worker     one evaluation in a process of its own, a line of JSON for each result
job_store  evaluations in the database
jobs       evaluations that run on the server, one at a time, and can be cancelled
result     one learner on one distribution, as JSON
process    the job of a worker process, and its results as they come
report     an evaluation written down, as JSON and as Markdown
thresholds conditions under which it counts as failed
comparison it and an earlier one: what became worse
drawing    its learning curves as SVG
"""
