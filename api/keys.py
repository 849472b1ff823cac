"""API keys: made, listed and revoked over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Router, delete, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from api.auth import make_key
from api.instants import InstantText
from api.operations import SMALL_JSON, get, operation
from api.pages import cut_page, resume
from api.parameters import LIMIT_DEFAULT, Cursor, Limit, fit_name
from api.problems import bad_pointer
from api.request import ApiRequest
from domain.errors import NotFound
from domain.events import Instant
from domain.keys import SCOPES, ApiKey, Scope
from domain.names import Name

SHOPS_OF_KEY_MAX = 1_000
KEYS_ON_PAGE_MAX = 50

_LATEST = datetime(9999, 12, 31, tzinfo=UTC)


class KeyDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make; null `shop_ids` and `expires_at` are those of the key of the request."""

    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(SCOPES))]
    shop_ids: Annotated[list[Name], Meta(min_length=1, max_length=SHOPS_OF_KEY_MAX)] | None = None
    expires_at: InstantText | None = None


class KeyShown(msgspec.Struct, frozen=True):
    """A key without its secret."""

    id: str
    scopes: Annotated[list[Scope], Meta(max_length=len(SCOPES))]
    shop_ids: Annotated[list[str], Meta(max_length=SHOPS_OF_KEY_MAX)] | None
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None


class NewKey(KeyShown, frozen=True):
    """A new key with what its holder sends, shown this once."""

    key: str


class KeysFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All keys: there is no filter."""


class KeysPage(msgspec.Struct, frozen=True):
    """One page of the keys that this key may see, newest first."""

    items: list[KeyShown]
    next_cursor: str | None


@post(
    "/keys",
    summary="Make an API key",
    **operation("admin", bodies=SMALL_JSON, problems=("invalid", "too_many")),
)
async def post_key(request: ApiRequest, data: JSONBody[KeyDraft]) -> NewKey:
    """Make a key, which grants nothing beyond the scopes, shops and expiry of its maker.

    A member that is absent or null is that of the maker.
    """
    own = request.auth
    ports = request.ports
    now = ports.clock()
    expires_at = _end(data, now)
    _must_not_exceed(data, expires_at, own)
    text, stored = make_key(
        tenant_id=own.tenant_id,
        scopes=list(dict.fromkeys(data.scopes)),
        shop_ids=own.shop_ids if data.shop_ids is None else list(dict.fromkeys(data.shop_ids)),
        expires_at=expires_at or own.expires_at,
        now=now,
    )
    await ports.keys.add(request.act, stored, ports.limits.definitions_max)
    return NewKey(**msgspec.structs.asdict(_shown(stored.key)), key=text)


@get("/keys", summary="API keys, newest first", **operation("admin"))
async def list_keys(
    request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> KeysPage:
    """Return the tenant's keys, at most 50 on a page, however many are allowed.

    A key with a list of shops sees the keys that are within its list.
    """
    filters, after = resume(cursor, KeysFilters(), tuple[Instant, Name])
    limit = min(limit, KEYS_ON_PAGE_MAX)
    keys = await request.ports.keys.page(
        request.auth.tenant_id, request.auth.shop_ids, after=after, limit=limit + 1
    )
    items, following = cut_page(keys, limit, filters, lambda key: (key.created_at, key.key_id))
    return KeysPage([_shown(key) for key in items], following)


@delete(
    "/keys/{key_id:str}",
    summary="Revoke an API key",
    **operation("admin", problems=("not_found",)),
)
async def delete_key(
    request: ApiRequest,
    key_id: Annotated[
        str, PathParameter(description="The id of an API key, which is not its secret.")
    ],
) -> None:
    """End a key; ending it again changes nothing."""
    if not fit_name(key_id):
        raise NotFound("key", key_id)
    await request.ports.keys.revoke(request.act, key_id, request.auth.shop_ids)


def _end(draft: KeyDraft, now: datetime) -> datetime | None:
    """Return when a key ends; raise Problem `invalid` where that is not to come."""
    if draft.expires_at is None:
        return None
    try:
        end = msgspec.convert(draft.expires_at, Instant)
    except msgspec.ValidationError:
        end = now
    if not now < end <= _LATEST:
        raise bad_pointer("invalid", "/expires_at", "Expected an instant to come")
    return end


def _must_not_exceed(draft: KeyDraft, expires_at: datetime | None, own: ApiKey) -> None:
    """Raise Problem `forbidden` where a key would grant what its maker does not have."""
    for index, scope in enumerate(draft.scopes):
        if not own.has(scope):
            raise bad_pointer("forbidden", f"/scopes/{index}", "Expected a scope of this key")
    for index, shop_id in enumerate(draft.shop_ids or []):
        if not own.may_access(shop_id):
            raise bad_pointer("forbidden", f"/shop_ids/{index}", "Expected a shop of this key")
    if own.expires_at and expires_at and expires_at > own.expires_at:
        raise bad_pointer("forbidden", "/expires_at", "Expected no later end than of this key")


def _shown(key: ApiKey) -> KeyShown:
    return KeyShown(
        id=key.key_id,
        scopes=key.scopes,
        shop_ids=key.shop_ids,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )


router = Router("/", tags=["keys"], route_handlers=[post_key, list_keys, delete_key])
