"""Files of observations and queries, read in chunks, so that they may be larger than memory.

prediction_job  a file of observations and a file of queries, with columns matched by name
table           reading CSV; errors name line and column
parquet         reading and writing Parquet
column_file     writing columns: CSV, Parquet, the standard output
streaming       predictions from chunks
"""
