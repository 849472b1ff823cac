"""API keys: made, listed and revoked over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from api import bodies
from api.auth import make_key
from api.conditional import computed
from api.context import Call, act
from api.operations import Answer, Operation, operation
from api.problems import bad_pointer
from api.wire import JSON, NoParameters, decode, nothing, query, reply
from domain.errors import NotFound
from domain.events import Instant
from domain.keys import ApiKey, Scope
from domain.names import Name

SHOPS_OF_KEY_MAX = 1_000

_LATEST = datetime(9999, 12, 31, tzinfo=UTC)


class KeyDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key as a caller asks for it; null `shop_ids` is all that the asking key reaches."""

    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=3)]
    shop_ids: Annotated[list[Name], Meta(min_length=1, max_length=SHOPS_OF_KEY_MAX)] | None = None
    expires_at: Instant | None = None


class KeyShown(msgspec.Struct, frozen=True):
    """A key without its secret."""

    id: str
    scopes: list[Scope]
    shop_ids: list[str] | None
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None


class NewKey(KeyShown, frozen=True):
    """A new key with what its holder sends, shown this once."""

    key: str


class KeyList(msgspec.Struct, frozen=True):
    """The keys that this key may see, newest first."""

    items: list[KeyShown]


@operation(
    "POST",
    "/v1/keys",
    Operation(
        name="postKey",
        summary="Make an API key",
        scope="admin",
        query=NoParameters,
        bodies={JSON: KeyDraft},
        answers={201: NewKey},
        problems=("invalid",),
    ),
)
async def post_key(request: Call) -> Answer:
    """A key grants no more shops than the key that makes it."""
    ctx = request.context
    bodies.media_type(request, (JSON,))
    body = await bodies.read(request, ctx.limits.event_bytes_max)
    query(request, NoParameters)
    draft = decode(body, KeyDraft)
    own = request.auth
    shop_ids = own.shop_ids if draft.shop_ids is None else list(dict.fromkeys(draft.shop_ids))
    for index, shop_id in enumerate(draft.shop_ids or []):
        if not own.reaches(shop_id):
            raise bad_pointer("invalid", f"/shop_ids/{index}", "Expected a shop of this key")
    now = ctx.clock()
    if draft.expires_at is not None and not now < draft.expires_at <= _LATEST:
        raise bad_pointer("invalid", "/expires_at", "Expected an instant to come")
    text, stored = make_key(
        tenant_id=own.tenant_id,
        scopes=list(dict.fromkeys(draft.scopes)),
        shop_ids=shop_ids,
        expires_at=draft.expires_at,
        now=now,
    )
    await ctx.keys.add(act(request), stored)
    shown = msgspec.structs.asdict(_shown(stored.key))
    return reply(NewKey(**shown, key=text), 201)


@operation(
    "GET",
    "/v1/keys",
    Operation(
        name="listKeys",
        summary="API keys, newest first",
        scope="admin",
        query=NoParameters,
        answers={200: KeyList},
    ),
)
async def list_keys(request: Call) -> Answer:
    """Keys of the tenant; a key with a list of shops sees those within its list."""
    query(request, NoParameters)
    keys = await request.context.keys.list(request.auth.tenant_id)
    shown = [_shown(key) for key in keys if _within(key, request.auth)]
    return computed(request, KeyList(shown))


@operation(
    "DELETE",
    "/v1/keys/{key_id:str}",
    Operation(
        name="deleteKey",
        summary="Revoke an API key",
        scope="admin",
        query=NoParameters,
        answers={204: None},
        problems=("not_found",),
    ),
)
async def delete_key(request: Call, key_id: str) -> Answer:
    """The key ends; revoking it again changes nothing."""
    query(request, NoParameters)
    ctx = request.context
    keys = await ctx.keys.list(request.auth.tenant_id)
    if not any(key.key_id == key_id and _within(key, request.auth) for key in keys):
        raise NotFound("key", key_id)
    await ctx.keys.revoke(act(request), key_id)
    return nothing()


def _within(key: ApiKey, own: ApiKey) -> bool:
    if own.shop_ids is None:
        return True
    return key.shop_ids is not None and set(key.shop_ids) <= set(own.shop_ids)


def _shown(key: ApiKey) -> KeyShown:
    return KeyShown(
        id=key.key_id,
        scopes=key.scopes,
        shop_ids=key.shop_ids,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )
