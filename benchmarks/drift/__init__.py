"""Streams whose relation changes: decay auto compared with fixed factors and with river's adaptive linear models.

run      the comparison and its report
streams  kinds of drift: ours, and river's
errors   every observation is predicted before it is learnt, by all methods
cost     one observation with decay auto ÷ one with a fixed decay
"""
