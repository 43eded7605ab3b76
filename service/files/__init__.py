"""Files of observations and queries, in chunks, so that none has to fit into memory.

table        a CSV file to arrays, refusing bad cells by line and column
parquet      a Parquet file likewise, and one written
prefetch        the next chunk is read while one is worked on
prediction_job    two files to a context and its queries, columns matched by name
column_file  one column written: CSV, Parquet, the standard output
streaming    predictions from one file to another
"""
