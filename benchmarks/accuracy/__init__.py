"""Accuracy on public and synthetic tables: the served models compared with the usual models of scikit-learn.

run         all results that are missing, in worker processes
tables      the tables, others' and synthetic ones
methods     splits, models of scikit-learn and the served models, and measures of their predictions
comparison  results of single splits as lines of JSON; methods compared over cases
report      tables, and a figure: median R² against the rows of context
"""
