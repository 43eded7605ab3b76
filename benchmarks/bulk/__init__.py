"""`gdssm predict --model linear` on a Parquet file of ten million rows, compared with numpy and scikit-learn.

run          the measurement and its report
contestants  the files, and the contestants, each a process
process      time, processor time and peak memory of a process
oracle       the exact answers, by two passes in float64
"""
