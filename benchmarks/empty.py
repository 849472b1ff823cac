"""The least that Litestar can do for one typed path parameter and an answer in JSON."""

import msgspec
from litestar import Litestar, get
from litestar.params import FromPath


class Nothing(msgspec.Struct):
    """The answer."""

    shop_id: str


@get("/v1/shops/{shop_id:str}/nothing")
async def nothing(shop_id: FromPath[str]) -> Nothing:
    """Answer without looking at anything."""
    return Nothing(shop_id)


@get("/readyz")
async def ready() -> None:
    """Answer that the worker serves."""


application = Litestar([nothing, ready], openapi_config=None, logging_config=None)
