"""`gdssm predict --model linear` on a Parquet file of ten million rows, and numpy and scikit-learn on the same file.

files        the files, made from a seed
contestants  who takes part, each a process of its own
cost         what a process takes: time, processor time, most memory
oracle       what the answers should be, by two passes in float64
report       what is told of it
"""
