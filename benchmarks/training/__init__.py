"""Time of a step of training compared with two plain implementations, its growth, and convergence of the presets.

run          presets and sizes
step         a step by three implementations, its time and its profile
report       tables and a figure
convergence  the one-layer presets from random weights, from five seeds
selection    the multi-step presets on validation tasks
"""
