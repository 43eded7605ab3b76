"""Observations into one context by many clients, and predictions from contexts, with one and two replicas.

run        the cases, and the report
services   databases and services, of this version and of the one before requests were combined
"""
