"""Bodies of requests and responses as pydantic models, with examples; the API and the client use the same ones.

schema        the base classes
fields        pydantic fields from functions that raise InvalidInput
models        models, in short
predictions   observations, queries and predictions
tables        tables: rows with named columns
batches       observations of, and queries to, many contexts
explanations  explanations of predictions
column_effects  effects of the columns of a table
assessments   predictions compared with those of other methods
contexts      contexts and their columns
streams       messages of a live stream
evaluations   evaluations and their results
errors        the one error body

No web framework, database or onnxruntime is imported here.
"""
