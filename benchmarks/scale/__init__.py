"""Time and memory against every size: observations, columns, outputs, queries, and contexts on the server.

sizes     which sizes are measured
point     one size in a process of its own: seconds, and the most memory that it took
one_more  one observation more, after few and after millions
contexts  a context among few, and among a hundred thousand
report    what is told of it, in tables and figures
"""
