"""ASGI middleware; `service.app` assembles it.

observability     request id, times, log line and metrics; uncaught exceptions
sites             403 for foreign web pages and unknown host names
admission         limits on requests and bytes in flight, and on the time of a body; counters of a resource, and deadlines
authentication    the API key, the caller, and the rate limit
websockets        a limit on open WebSockets, closed when the service stops
head              HEAD as GET without its body
security_headers  content security policy of pages
prefix            the path prefix of a reverse proxy
"""
