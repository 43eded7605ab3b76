"""Distributions of in-context regression tasks; all are frozen and have the method `sample`.

task       the interface, and the samples
linear     linear functions: plain, stretched, sparse, correlated, heavy-tailed, drifting; and noise on any task
nonlinear  sines, sums of sines, Friedman's function, random networks
classes    linear classes
tables     random splits of a table
"""
