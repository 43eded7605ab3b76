"""`gdssm predict --model linear` on a Parquet file of ten million rows, compared with numpy and scikit-learn.

run          the exact answers, the measurement and its report
methods      the files, and the methods, each in a process
mixed_csv    a CSV file with categories and gaps
on_ray       contexts of Parquet files on a Ray cluster, by ray_engines
process      time, processor time and peak memory of a process
"""
