"""Measurements, each against peers in one run; `make bench` runs them all once the tests have passed.

diabetes   accuracy on real data, through HTTP
latency    what a prediction, and one observation more, cost beside a ridge fitted anew
"""
