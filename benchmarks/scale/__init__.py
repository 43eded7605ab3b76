"""Time and memory against every size: observations, columns, outputs, queries, and contexts in the database.

run       the report: tables and figures
sizes     one size in a new process, all sizes, and one observation after millions
contexts  calls on a context in a database of few contexts, and of a hundred thousand
"""
