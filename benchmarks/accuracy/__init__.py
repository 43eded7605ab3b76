"""Accuracy on public and synthetic tables: the served models compared with the usual models of scikit-learn.

run            all results that are missing, in worker processes
tables         the tables; synthetic: those that are made
methods        models of scikit-learn, and the served models
scoring        splits, predictions and their measures
split_results  results of single splits as lines of JSON
comparison     methods compared over cases
report         tables, and a figure: median R² against the rows of context
"""
