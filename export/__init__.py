"""From the torch model to the one ONNX file that is served.

zoo        which models ship, and what their manifests say
graph      a model as a graph: state in, state out, every axis named
to_onnx    the graph as a file, with its manifest inside
claims     what a manifest says of the model, tried out
verify     the file held against the torch model, through the service's own runtime
"""
