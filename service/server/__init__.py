"""The server: uvicorn in one process or several.

serving             listens, serves, and shuts down gracefully
workers             starts, replaces and stops several processes
stopping            the state of the shutdown
http_protocol       uvicorn's HTTP connection with limits on size and time
responses           sends a common head and its body in one write
websocket_protocol  uvicorn's WebSocket connection with a limit on bytes
allocator           releases memory to the system after large bodies
garbage_collection  the settings of Python's garbage collector
"""
