"""Training on a card: a step compared with its matrix products, a preset to its end, and equality with the processor.

run     sizes, measurements and their report
steps   a step and its bare products
mad     two recall tasks of the MAD suite for `gdssm.sequence`
"""
