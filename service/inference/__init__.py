"""Observations and queries in, predictions out, by a model file.

artifact            the contract of a model file: its manifest
signature           checks that a manifest describes the signature that the service relies on
runtime             one model file in one onnxruntime session
sizes               the sizes behind the letters B, N, M, D, K
checks              checks of observations, queries and parameters
predictor           predictions for one context
tensor_inference    predictions for a batch of tensors, named as in the graph
tensors             arrays from binary bodies, and safetensors
cells               states that know of missing cells
chunks              many observations, in runs of bounded memory
wide_readout        the readout of a state of many columns, computed outside the graph
wide_class_readout  the same for classification
distribution        intervals, quantiles and notes of a prediction
student_t           quantiles of Student's t distribution
"""
