"""ASGI middleware; `service.app` assembles it.

observability     request id, times, log line and metrics; uncaught exceptions
admission         limits on requests and bytes in flight, and on the time of a body
cross_origin      web pages of listed origins (CORS)
access            foreign web pages, unknown host names, the API key, the rate limit
websockets        a limit on open WebSockets, closed when the service stops
head              HEAD as GET without its body
security_headers  content security policy of pages
prefix            the path prefix of a reverse proxy
"""
