"""Streams whose relation changes: decay auto compared with fixed factors and with river's adaptive linear models.

streams      kinds of drift of our own, and river's
prequential  every observation is predicted before it is learnt
peers        river's models
cost         one observation with decay auto, of one with a fixed decay
report       the tables
"""
