"""Evaluations: every model beside every reference learner, on tasks that a seed decides.

request    what is asked for
models     a model as a learner: in this process, or behind any function from tensors to tensors
worker     one evaluation in a process of its own, a line of JSON for each result
ledger     what is stored of evaluations
jobs       evaluations that run on the server, one at a time, and can be cancelled
"""
