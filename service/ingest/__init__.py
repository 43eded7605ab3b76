"""Rows from a log, learnt exactly once: see `gdssm ingest`.

source        one stream of entries, found by their positions
redis_stream  a Redis Stream as a source
json_lines    a file of JSON lines as a source
payload       JSON objects as fields of an entry
columns       the use of the fields of entries
encoding      entries become rows
destination   the contexts that learn from them
offsets       how far streams are read
bad_entries   entries from which nothing is learnt
ingester      reads streams, and stores offsets in the transaction of the observations
opening       sources by the address of a log, and ingesters by the settings of a service
"""
