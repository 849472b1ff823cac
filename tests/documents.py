"""Parts of documents that are rendered from code and from results: `python -m tests.documents`."""

from pathlib import Path

from shopdsr.settings import settings_table
from tests.attacks import results as attacks
from tests.faults import results as faults
from tests.faults.rows_network import SMALL_POOL
from tests.faults.rows_stored import FAULTS

ROOT = Path(__file__).resolve().parents[1]
LAST_RUN = ROOT / "tests" / "faults" / "last_run.md"
README = ROOT / "README.md"
MODEL = "model check"
"""The row that counts steps and not faults."""

PROMISES = """\
| | promise | what backs it |
|---|---|---|
| P1 | An event that was answered as stored or as a duplicate is on disk: no crash loses it. \
| {database_kills} kills of the database, {worker_kills} of workers and {lost_answers:,} lost \
acknowledgements among {acknowledged:,} acknowledged events: {lost} lost |
| P2 | A fact counts once, however often, from however many clients at once and in whatever order \
it is sent. | {twins:,} batches sent by others at the same instant, {shuffled:,} shuffled and \
repeated ones, and all that was sent again after a fault: {doubled} counted twice |
| P3 | The same fact with other content is refused as a conflict, and the first one stands, \
unless a higher revision replaces it. \
| {steps:,} steps of a model check, conflicts among them, each compared with a reference that is \
given the same: {differences} differences |
| P4 | Every stored total equals a recount from the facts, at every commit; `shopdsr verify` shows \
it for every shop, and can repair. | {totals_wrong} totals wrong after any of {kinds} kinds of \
fault, by the service's recount and by the clients' own; {spoilt} ways to spoil a total, each \
named and repaired |
| P5 | A key neither sees nor moves what is another tenant's; it reaches only its shops and \
scopes. | {foreign_ids} requests with the ids of another tenant, made from the contract: each \
answered as if there were no such thing; two locks, each tested with the other removed |
| P6 | No input makes a 5xx. 503, with `Retry-After`, is said only when the database cannot serve \
or too much is under way. | {hostile_values} hostile values in the paths, queries, headers and \
bodies of all {operations} operations, and Schemathesis with all its checks: no answer of 5xx |
| P7 | Memory, connections and time are bounded, whatever one client does. \
| {slow_connections:,} slow connections in each of {slow_ways} ways, {cancelled:,} requests whose \
clients hung up, {clients} clients on pools of {pool} connections to a slow database: the service \
goes on, and no connection or transaction is left open |
| P8 | No key, secret or event shows in the log, in metrics or in an error. | {marked_requests} \
requests full of marked words, parts of them again with a broken database and with none: no \
marked word is seen |

The figures of P1 to P4 and of hung-up clients are of [the last long \
run](tests/faults/last_run.md) of the fault suite, on {faults_day} ({machine}); the others are \
of the attack suite, on {attacks_day}."""


def render_promises(run: faults.Results, attack: attacks.Results) -> str:
    """Return the promises of the README, each with the figures of the last runs."""
    broken = [row for row in run.rows if row.row != MODEL]
    return PROMISES.format(
        database_kills=run.row("database killed").faults,
        worker_kills=run.row("service worker killed").faults,
        lost_answers=run.row("acknowledgement lost").counts["acknowledgements cut"],
        acknowledged=sum(row.acknowledged for row in broken),
        lost=sum(row.lost + row.invented + row.half_stored for row in broken),
        twins=run.row("twins").faults,
        shuffled=run.row("disorder").faults,
        doubled=sum(row.doubled for row in broken),
        steps=run.row(MODEL).faults,
        differences=len(run.row(MODEL).complaints),
        totals_wrong=sum(row.totals_wrong for row in broken),
        kinds=len(broken),
        spoilt=len(FAULTS),
        foreign_ids=attack.foreign_ids,
        hostile_values=attack.hostile_values,
        operations=attack.operations,
        slow_connections=attack.slow_connections,
        slow_ways=attack.slow_ways,
        cancelled=run.row("cancelled requests").faults,
        clients=run.row("pool exhausted, slow database").faults,
        pool=SMALL_POOL,
        marked_requests=attack.marked_requests,
        faults_day=run.day,
        machine=run.machine,
        attacks_day=attack.day,
    )


def render_documents() -> dict[Path, str]:
    """Return every document that holds rendered parts, as it must be."""
    run, attack = faults.read_results(), attacks.read_results()
    readme = README.read_text("utf-8")
    readme = _replace_block(readme, "settings", settings_table())
    readme = _replace_block(readme, "promises", render_promises(run, attack))
    return {README: readme, LAST_RUN: faults.render_run(run)}


def write_documents() -> None:
    """Render every document anew."""
    for path, text in render_documents().items():
        path.write_text(text, "utf-8")


def _replace_block(text: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    before, marked, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    assert marked, f"no {begin}"
    assert closed, f"no {end}"
    return before + begin + content + end + after


if __name__ == "__main__":
    write_documents()
