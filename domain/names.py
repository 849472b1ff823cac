"""The shapes of names and texts that callers give."""

from typing import Annotated

from msgspec import Meta

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^(?!\.{1,2}$)[A-Za-z0-9._~-]+$(?!\n)",
        title="1 to 64 of A-Z a-z 0-9 . _ ~ -, neither `.` nor `..`",
    ),
]
"""A shop, marketplace, category or set of rules: it may be part of a path."""

NO_CONTROL = r"^[^\u0000-\u001f\u007f-\u009f]+$(?!\n)"

Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=NO_CONTROL)]
"""Any other id of the caller's: any script, without control characters."""

PRINTABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"

Comment = Annotated[str, Meta(max_length=10_000, pattern=PRINTABLE)]
Note = Annotated[str, Meta(max_length=2_000, pattern=PRINTABLE)]
Title = Annotated[str, Meta(max_length=500, pattern=PRINTABLE)]
Region = Annotated[str, Meta(max_length=64, pattern=PRINTABLE)]
"""Texts hold no control characters but tab and line breaks."""

EventText = Annotated[str, Meta(min_length=1, max_length=256, pattern=NO_CONTROL)]
"""The `id` and `source` of a CloudEvent."""
