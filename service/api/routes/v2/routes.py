"""The routers of the protocol."""

from service.api.routes.v2 import infer, models, repository, server

PROTOCOL_ROUTERS = (server.router, models.router, infer.router, repository.router)
