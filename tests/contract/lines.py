"""How Schemathesis sends lines: as they are."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_ctx: schemathesis.SerializationContext, value: object) -> Any:
    """Return the text in UTF-8."""
    return str(value).encode("utf-8", "surrogatepass")
