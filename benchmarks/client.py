"""A client process: reads loads, one JSON line each, and prints what became of each."""

# The packages of this file are in the lock of the benchmarks alone.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator"

import asyncio
import gc
import resource
import sys
from array import array
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import uvloop

from benchmarks import direct, driver
from benchmarks.driver import Tally
from benchmarks.load import Load, Result

READY = "ready"


def main() -> None:
    """For each line: prepare, say so, wait for another line, run, tell."""
    for line in sys.stdin:
        load = msgspec.json.decode(line, type=Load)
        start = _prepared(load)
        # What was prepared stays to the end of the load; nothing else makes cycles.
        gc.collect()
        gc.freeze()
        _say(READY)
        sys.stdin.readline()
        cpu_before = _cpu_s()
        tally = uvloop.run(start())
        _say(msgspec.json.encode(_result(tally, _cpu_s() - cpu_before)).decode())
        gc.unfreeze()


def _prepared(load: Load) -> Callable[[], Coroutine[Any, Any, Tally]]:
    if load.recipe in ("copy", "insert"):
        items = asyncio.run(direct.prepare(load))
        return lambda: direct.run(load, items)
    made = driver.prepare(load)

    async def drive() -> Tally:
        return await driver.Drive(load, made).run()

    return drive


def _result(tally: Tally, cpu_s: float) -> Result:
    sorted_s = array("d", sorted(tally.latencies)) or array("d", [0.0])

    def at(share: float) -> float:
        return sorted_s[min(len(sorted_s) - 1, int(share * len(sorted_s)))] * 1000

    return Result(
        units=tally.units,
        seconds=max(tally.measured_to - tally.measured_from, 1e-9),
        latency_p50=at(0.5),
        latency_p90=at(0.9),
        latency_p99=at(0.99),
        latency_max=at(1.0),
        requests_all=tally.requests_all,
        units_all=tally.units_all,
        stored=tally.stored,
        failed=tally.failed,
        response_bytes=tally.response_bytes,
        client_cpu_s=cpu_s,
        first_failure=tally.first_failure,
    )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
