"""Erasures: a buyer is taken out of every fact, and all figures stay."""

import msgspec
from litestar import Router, post
from litestar.params import JSONBody

from api.operations import SMALL_JSON, operation
from api.request import ApiRequest
from domain.names import Id


class ErasureDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The buyer to erase."""

    buyer_id: Id


class Erasure(msgspec.Struct, frozen=True):
    """How many facts were changed, each of them once."""

    facts: int


@post(
    "/erasures",
    summary="Erase a buyer",
    status_code=200,
    **operation("admin", tenant_wide=True, bodies=SMALL_JSON, problems=("invalid",)),
)
async def erase_buyer(request: ApiRequest, data: JSONBody[ErasureDraft]) -> Erasure:
    """Erase a buyer from every shop of the tenant.

    In each fact a random id takes the place of the buyer's; the buyer's comments and the notes on
    the buyer's ratings are emptied. Every figure stays as it was. Later revisions of these facts
    do not bring back what was erased, and it is not compared when one of them is sent again. A
    fact that is new later and has the old id is a new buyer's.
    """
    return Erasure(await request.ports.erasures.erase(request.act, data.buyer_id))


router = Router("/", tags=["erasures"], route_handlers=[erase_buyer])
