"""What limits everybody: the transport alone, and the work alone, each by hand in as few lines as do it.

bare        reads the body and returns a constant
orjson_app  orjson, numpy, onnxruntime, orjson
simd_app    the same with simdjson, which hands numbers over as an array
binary_app  bytes, numpy, onnxruntime, bytes
asgi        a body in, a body out
"""
