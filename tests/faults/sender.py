"""A client process: sends batches until its input ends, and says what was acknowledged.

It reads its orders from the first argument, as JSON. Each line that it prints is the number of
events acknowledged so far; the last one is its model.
"""

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from datetime import datetime
from typing import Any

import httpx

from tests.faults.stream import batch, encoded, post
from tests.harness.client import open_async_client

PAUSE_S = 0.03
REPORT_S = 0.05
FINISH_S = 45.0


class BatchSender:
    """Several connections with one model."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.orders = orders
        self.start = datetime.fromisoformat(orders["start"])
        self.serial = 0
        self.stop = threading.Event()
        self.acknowledged: list[int] = []
        self.abandoned: list[int] = []
        self.events = 0
        self.answers: Counter[str] = Counter()
        self.surprises: list[str] = []
        self.slowest_s = 0.0

    async def connection(self) -> None:
        """Send batch after batch, each until it is acknowledged or given up."""
        url, key, timeout_s = (self.orders[name] for name in ("url", "key", "timeout_s"))
        async with open_async_client(url, key, timeout_s) as client:
            while not self.stop.is_set():
                self.serial += 1
                await self._send(client, self.serial)

    async def _send(self, client: httpx.AsyncClient, serial: int) -> None:
        events = batch(self.start, self.orders["seed"], self.orders["client"], serial)
        body = encoded(events)
        tries, give_up = 0, None
        while give_up is None or time.monotonic() < give_up:
            tries += 1
            # Some batches are never sent again: they must be stored whole or not at all.
            if tries > 1 and serial % 5 == 0:
                break
            if await self._try(client, body, len(events), serial):
                self.acknowledged.append(serial)
                self.events += len(events)
                return
            if self.stop.is_set() and give_up is None:
                give_up = time.monotonic() + FINISH_S
            await asyncio.sleep(PAUSE_S)
        self.abandoned.append(serial)

    async def _try(self, client: httpx.AsyncClient, body: bytes, count: int, serial: int) -> bool:
        started = time.monotonic()
        try:
            answer = await post(client, body)
        except httpx.TransportError as error:
            self.answers[f"none: {type(error).__name__}"] += 1
            return False
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        self.answers[str(answer.status_code)] += 1
        if answer.status_code == 503:
            if "retry-after" not in answer.headers:
                self.surprises.append("503 without Retry-After")
            return False
        if answer.status_code != 200:
            self.surprises.append(f"{serial}: {answer.status_code} {answer.text[:300]}")
            return False
        outcome = answer.json()
        if outcome["stored"] + outcome["duplicates"] != count or outcome["rejected"]:
            self.surprises.append(f"{serial}: {answer.text[:300]}")
        return True

    async def report(self) -> None:
        """Print the number of acknowledged events, again and again."""
        while True:
            print(self.events, flush=True)
            await asyncio.sleep(REPORT_S)

    async def run(self) -> None:
        """Send until standard input ends, finish what is under way, and print the model."""
        threading.Thread(target=self._wait_for_end, daemon=True).start()
        reporting = asyncio.create_task(self.report())
        await asyncio.gather(*(self.connection() for _ in range(self.orders["connections"])))
        reporting.cancel()
        model = {
            "client": self.orders["client"],
            "acknowledged": self.acknowledged,
            "abandoned": self.abandoned,
            "events": self.events,
            "answers": dict(self.answers),
            "surprises": self.surprises[:20],
            "slowest_s": self.slowest_s,
        }
        print(json.dumps(model), flush=True)

    def _wait_for_end(self) -> None:
        sys.stdin.read()
        self.stop.set()


if __name__ == "__main__":
    asyncio.run(BatchSender(json.loads(sys.argv[1])).run())
