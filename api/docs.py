"""The contract to read: as a file, as an explorer, and a page for each kind of problem."""

from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import litestar_offline_docs
from litestar import MediaType, Response, Router
from litestar.params import PathParameter

from api.operations import JSON, get
from api.problems import KINDS

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_SWAGGER_UI = Path(litestar_offline_docs.__file__).with_name("static")
_OWN_ASSETS = Path(__file__).with_name("assets")

ASSETS = {
    "explorer.js": (_OWN_ASSETS, "text/javascript"),
    "page.css": (_OWN_ASSETS, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
}
"""Swagger UI from a package, and the script that starts it: the explorer works with no internet.

A list of names, and not a folder: Litestar's static files answer 500 to a name with a NUL.
"""

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{head}
</head>
<body>
{body}
</body>
</html>
"""

_EXPLORER = _PAGE.format(
    title="shopdsr",
    head='<link rel="stylesheet" href="docs/assets/swagger-ui.css">',
    body='<div id="explorer"></div>\n'
    '<script src="docs/assets/swagger-ui-bundle.js"></script>\n'
    '<script src="docs/assets/explorer.js"></script>',
)


@get("/openapi.json", summary="This contract")
async def get_contract() -> dict[str, Any]:
    """Return the contract as an OpenAPI 3.1 document."""
    return Response(contract_file(), media_type=JSON)  # type: ignore[return-value]  # as it stands


@get("/docs", summary="This contract as an explorer", media_type=MediaType.HTML)
async def get_docs() -> Response[str]:
    """Return a page that shows the contract and tries it, without the internet."""
    return Response(_EXPLORER, headers=SECURITY_HEADERS)


@get(
    "/problems/{code:str}",
    summary="What a kind of problem means",
    media_type=MediaType.HTML,
    opt={"problems": ("not_found",)},
)
async def get_problem(
    code: Annotated[
        str,
        PathParameter(description="The `code` of a problem.", schema_extra={"enum": list(KINDS)}),
    ],
) -> Response[str]:
    """Return a page about the `type` of a problem."""
    kind = KINDS[code]
    page = _PAGE.format(
        title=escape(kind.title),
        head='<link rel="stylesheet" href="../docs/assets/page.css">',
        body=f"<h1>{escape(kind.title)}</h1>\n"
        f"<p>Status {kind.status}, code <code>{code}</code>.</p>\n<p>{escape(kind.meaning)}</p>",
    )
    return Response(page, headers=SECURITY_HEADERS)


@get("/docs/assets/{name:str}", include_in_schema=False)
async def get_asset(
    name: Annotated[
        str,
        PathParameter(description="A file of the explorer.", schema_extra={"enum": list(ASSETS)}),
    ],
) -> Response[bytes]:
    """Return a script or a style sheet of the explorer."""
    return Response(
        asset_file(name),
        media_type=f"{ASSETS[name][1]}; charset=utf-8",
        headers={**SECURITY_HEADERS, "Cache-Control": "public, max-age=3600"},
    )


@cache
def asset_file(name: str) -> bytes:
    """Return a file of `ASSETS`."""
    return (ASSETS[name][0] / name).read_bytes()


@cache
def contract_file() -> bytes:
    """Return the committed contract."""
    return (resources.files("openapi") / "v1.json").read_bytes()


router = Router("/", tags=["docs"], route_handlers=[get_contract, get_docs, get_asset, get_problem])
