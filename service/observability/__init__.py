"""Metrics and logs.

request_stats  the id, the times and the model of the present request
metrics        Prometheus metrics
key_counts     requests by key
processes      memory, CPU time and open files of all workers
logs           log lines as text or JSON, with the id of their request
"""
