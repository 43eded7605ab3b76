"""Every route of the protocol, as one router."""

from fastapi import APIRouter

from service.api.routes.v2 import infer, models, repository, server

router = APIRouter()
for module in (server, models, infer, repository):
    router.include_router(module.router)
