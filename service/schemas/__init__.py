"""Bodies of requests and responses as pydantic models, with examples; the API and the client use the same ones.

schema        the base classes
fields        pydantic fields from functions that raise InvalidInput
models        models, in short
predictions   observations, queries and predictions
explanations  explanations of predictions
contexts      contexts and their columns
streams       messages of a live stream
evaluations   evaluations and their results
errors        the one error body

No web framework, database or onnxruntime is imported here.
"""
