"""From the torch model to the one ONNX file that is served.

zoo        the shipped models and their manifests
states     names, axes and meanings of the states
trained    finished training runs
graph      a model as a graph: state in, state out, every axis named
to_onnx    the graph as a file, with its manifest inside
write      one model from entry to verified file
branches   parts of a graph that are computed on a condition
claims     tests of the claims in a manifest
verify     comparison of the file with the torch model, by the runtime of the service
"""
