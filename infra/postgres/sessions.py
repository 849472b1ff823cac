"""The settings that sessions make, whatever the role, the database and the server say."""

from typing import Final

import msgspec

ROLE: Final = "shopdsr_service"
"""The role of every session that serves: it owns nothing; the schema is made by another."""

# lc_messages is not among them: only superusers may change it, and no error is told by its text.
_SETTINGS: Final = {
    "search_path": "public",
    # How the text of statements and of values is read and written.
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "array_nulls": "on",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    # Plans by index whatever the arguments; to plan a statement costs more than to run it.
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
_OF_SESSIONS: Final = {
    # A writer that has waited for another one reads what the other has committed.
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "idle_session_timeout": "0",
}
_OF_TRANSACTIONS: Final = {"transaction_read_only": "off"}
"""In place of the defaults; a transaction names its isolation at its start."""

_SINCE_17: Final = {"transaction_timeout": "0"}


class Session(msgspec.Struct, frozen=True):
    """A kind of session: its role if it takes one, and bounds of time, 0 for none.

    With `shared` nothing is left to a session: each transaction makes the settings for itself.
    """

    role: str
    statement_timeout_ms: int
    lock_timeout_ms: int
    shared: bool

    def settings(self, server_major: int) -> dict[str, str]:
        """Return each setting and its value, the role last, as it may do the least."""
        settings = _SETTINGS | (_OF_TRANSACTIONS if self.shared else _OF_SESSIONS)
        if server_major >= 17:
            settings |= _SINCE_17
        settings |= {
            "statement_timeout": str(self.statement_timeout_ms),
            "lock_timeout": str(self.lock_timeout_ms),
            "idle_in_transaction_session_timeout": str(self.statement_timeout_ms),
        }
        return settings | ({"role": self.role} if self.role else {})

    def statements(self, server_major: int) -> str:
        """Return the statements that make the settings of a session or transaction."""
        scope = "local" if self.shared else "session"
        return "; ".join(
            f"set {scope} {name} = '{setting}'"
            for name, setting in self.settings(server_major).items()
        )
