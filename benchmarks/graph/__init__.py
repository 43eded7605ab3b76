"""The graphs themselves, without a service around them: beside numpy, from a held state, with more threads, by nodes.

numpy_models  the same models written in numpy
timing        calls in turn, again and again
nodes         what a graph is made of, before and after onnxruntime's optimisation
report        the tables, and whether the goals are met
"""
