"""Reads the body and returns a constant: what the transport costs."""

from benchmarks.serving.controls.asgi import application

app = application(lambda _: b'{"prediction":[0.0]}', b"application/json")
