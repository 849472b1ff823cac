"""Administrative acts, and the audit trail that lists them: who did what, when, to what."""

from datetime import datetime
from typing import Final

import msgspec

COMMAND_LINE: Final = "command line"


class Act(msgspec.Struct, frozen=True):
    """Something done to a tenant: `who` is the id of a key, or the command line.

    `what` is the name of the operation or of the command.
    """

    tenant_id: int
    who: str
    what: str
    at: datetime


class Entry(msgspec.Struct, frozen=True):
    """An entry of the audit trail; `on` names what was changed, without its content.

    `number` tells entries of one instant apart.
    """

    at: datetime
    number: int
    who: str
    what: str
    on: list[str]
