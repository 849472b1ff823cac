"""Processes die: the database's, and the service's own."""

import random
import signal
import time
from functools import partial

from tests.faults.figures import Figures, Form
from tests.faults.stage import WORKERS, Stage, stage
from tests.harness.postgres import Cluster, Kill, start_cluster
from tests.harness.processes import signal_all, wait_until

BETWEEN_EVENTS = 1_000
READY_WITHIN_S = 15.0
KILLS_IN_A_ROW = 3
_KILLS: tuple[Kill, ...] = ("everything", "backend", "background")


def database_killed(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Kill processes of Postgres during ingest; the service must recover without a restart."""
    with stage(cluster, form, "database killed", control=control) as on:
        on.clients.go()
        rng = random.Random(form.seed)
        for number in range(form.database_kills):
            on.clients.until_more(rng.randint(1, BETWEEN_EVENTS))
            kill_database(on, _KILLS[number % len(_KILLS)], rng)
        _end(on)
        return on.figures


def kill_database(on: Stage, what: Kill, rng: random.Random) -> None:
    """Kill, start again what the server cannot start itself, and wait until all serves."""
    started = time.monotonic()
    on.cluster.kill(what, rng)
    on.figures.faults += 1
    on.cluster.revive()
    on.service.wait_until_ready()
    on.figures.ready_s.append(time.monotonic() - started)


def worker_killed(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Kill a worker with requests in flight; only what it had in hand may fail."""
    connections = 8
    with stage(cluster, form, "service worker killed", control=control) as on:
        on.clients.go(connections)
        rng = random.Random(form.seed)
        for _ in range(form.worker_kills):
            on.clients.until_more(rng.randint(1, BETWEEN_EVENTS))
            victim = on.service.workers[0]
            signal_all([victim], signal.SIGKILL)
            on.figures.faults += 1
            started = time.monotonic()
            on.service.wait_until_ready()
            on.service.wait_until_all_listen()
            on.figures.ready_s.append(time.monotonic() - started)
        answers = _end(on)
        failed = sum(count for status, count in answers.items() if status != "200")
        # Each connection may fail in flight, and once more in the queue of the one that dies.
        in_hand = form.worker_kills * connections * 2
        on.figures.claim(
            failed <= in_hand, f"{failed} requests failed, at most {in_hand} were in hand"
        )
        return on.figures


def workers_killed_again(cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Kill every worker, and those in their place, before they are ready."""
    with stage(cluster, form, "all workers killed, again and again", control=control) as on:
        on.clients.go()
        for _ in range(form.outages):
            on.clients.until_more(BETWEEN_EVENTS)
            started = time.monotonic()
            for _ in range(KILLS_IN_A_ROW):
                victims = on.service.workers
                signal_all(victims, signal.SIGKILL)
                on.figures.faults += len(victims)
                wait_until(partial(_are_replaced, on, victims), 60, "the workers are replaced")
            on.service.wait_until_ready()
            on.service.wait_until_all_listen()
            on.figures.ready_s.append(time.monotonic() - started)
        _end(on)
        return on.figures


def _are_replaced(on: Stage, victims: list[int]) -> bool:
    workers = on.service.workers
    return len(workers) == WORKERS and not set(workers) & set(victims)


def embedded_database_killed(_: Cluster, form: Form, control: str = "") -> Figures:
    """Kill the embedded Postgres, which the service alone must start again."""
    with (
        start_cluster() as cluster,
        stage(
            cluster,
            form,
            "embedded database killed",
            control=control,
            settings={"data_dir": cluster.data_dir},
        ) as on,
    ):
        on.clients.go()
        for number in range(2 * form.outages):
            on.clients.until_more(BETWEEN_EVENTS)
            started = time.monotonic()
            cluster.kill("everything" if number % 2 else "postmaster")
            on.figures.faults += 1
            # Until the supervisor has seen it, some sessions may still be served.
            wait_until(cluster.answers, READY_WITHIN_S, "Postgres is started again")
            on.service.wait_until_ready()
            on.figures.ready_s.append(time.monotonic() - started)
        _end(on)
        return on.figures


def _end(on: Stage) -> dict[str, int]:
    """Let more events in, and check what is stored; return the answers by status."""
    on.clients.until_more(BETWEEN_EVENTS)
    longest = max(on.figures.ready_s)
    on.figures.claim(longest < READY_WITHIN_S, f"ready again after {longest:.1f} s")
    on.check()
    answers = on.clients.answers()
    on.figures.notes.append(f"answers {answers}, slowest {on.clients.slowest_s:.1f} s")
    return answers
