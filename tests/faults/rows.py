"""Every row of the fault table, in order, and for each broken promise the row that must tell."""

from collections.abc import Callable
from typing import TypeAlias

from tests.faults.figures import Figures, Form
from tests.faults.rows_calendar import calendar
from tests.faults.rows_deploy import deploy
from tests.faults.rows_disorder import disorder, rivals, twins
from tests.faults.rows_killed import (
    database_killed,
    embedded_database_killed,
    worker_killed,
    workers_killed_again,
)
from tests.faults.rows_model import model
from tests.faults.rows_network import acknowledgement_lost, cancelled, half_open, pool_exhausted
from tests.faults.rows_outage import (
    database_restarted,
    database_stopped,
    disk_full,
    out_of_connections,
    whole_disk_full,
)
from tests.faults.rows_rules import rules_meanwhile
from tests.faults.rows_stored import restored, verified
from tests.harness.postgres import Cluster

Row: TypeAlias = Callable[[Cluster, Form, str], Figures]

ROWS: list[Row] = [
    database_killed,
    embedded_database_killed,
    acknowledgement_lost,
    half_open,
    worker_killed,
    workers_killed_again,
    deploy,
    database_stopped,
    database_restarted,
    out_of_connections,
    disk_full,
    pool_exhausted,
    cancelled,
    twins,
    rivals,
    disorder,
    rules_meanwhile,
    model,
    calendar,
    verified,
    restored,
]

LONG_ROWS: list[Row] = [*ROWS, whole_disk_full]
"""The long form's; the server there lies on its own disk, which takes the right to mount one."""

TOLD_BY: dict[str, tuple[Row, str]] = {
    "commits not synchronous": (database_killed, "acknowledged events are missing"),
    "deduplication removed": (twins, "events count twice"),
    "totals in a second transaction": (acknowledgement_lost, "totals are wrong"),
    "lock of shops removed": (rivals, "totals are wrong"),
    "lock between changes of rules removed": (rules_meanwhile, "rules was answered 500"),
    "lock of shops on their rules removed": (rules_meanwhile, "follow rules that were replaced"),
}
"""For each negative control the row that turns red, and the complaint that must be among its."""
