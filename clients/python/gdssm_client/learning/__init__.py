"""How a state learns, is explained, and how rows of frames become numbers: the service's definitions, for estimators.

Every other module is generated from the service by `.ci/client_sources.py`, under the name that it has there.
"""
