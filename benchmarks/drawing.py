"""Ratings as a marketplace's back-office sends them, drawn from a seed: for every side the same.

Of random shops; seven of ten given in the last ten minutes, the others in the last three days,
each half a day to fourteen days after completion; one in five with a comment; one in fifty of a
buyer that the shop knows, the others of new ones.
"""

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import NamedTuple

KNOWN_SHARE = 0.02
KNOWN_BUYERS = 10
"""Known buyers of each shop; the filled world has one rating in fifty of them."""
LISTINGS = 100

ZONE = timezone(timedelta(hours=8))
"""Time zone of every shop, which has no summer time: Asia/Shanghai."""

COLUMNS = (
    *("shop_key", "review_id", "buyer_id", "month", "time", "completed_at", "day"),
    *("description", "service", "logistics", "order_id", "listing_id", "comment", "state"),
)

_MOMENTS = 1024
_COMMENTS = (
    "质量很好,下次再来",
    "物流很快,包装完好,客服也耐心",
    "一般般",
    "和描述一致,推荐购买给朋友",
)
_STARS = (
    *((5, 5, 5),) * 6,
    *((5, 5, None), (5, 4, 5), (4, 4, 4), (5, 5, 3), (4, 5, 4), (3, 3, 3), (1, 2, 1), (2, 4, 5)),
)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Moment(NamedTuple):
    """When a rating was given and its order completed."""

    time: datetime
    completed_at: datetime

    @property
    def day(self) -> date:
        """The day it counts on."""
        return self.time.date()

    @property
    def month(self) -> date:
        """The month whose cap it shares."""
        return self.completed_at.date().replace(day=1)


class Drawn(NamedTuple):
    """One rating; `subject` is the place of its shop."""

    subject: int
    name: str
    buyer_id: str
    moment: int
    stars: tuple[int, int, int | None]
    listing_id: str
    comment: str | None


class Drawing:
    """An endless supply of ratings of some number of shops, reproducible by its prefix."""

    def __init__(self, prefix: str, shops: int) -> None:
        self.random = Random(prefix)
        self._prefix = prefix
        self._shops = shops
        self._number = 0
        now = datetime.now(ZONE)
        self.moments = [self._moment(now) for _ in range(_MOMENTS)]

    def _moment(self, now: datetime) -> Moment:
        random = self.random
        back_s = random.uniform(0, 600) if random.random() < 0.7 else random.uniform(600, 259_200)
        time = now - timedelta(seconds=round(back_s))
        return Moment(time, time - timedelta(minutes=random.randrange(720, 20_160)))

    def __iter__(self) -> Iterator[Drawn]:
        """Draw one rating after another."""
        random, shops = self.random.random, self._shops
        while True:
            self._number += 1
            name = f"{self._prefix}-{self._number}"
            known = random() < KNOWN_SHARE
            yield Drawn(
                int(random() * shops),
                name,
                f"k-{int(random() * KNOWN_BUYERS)}" if known else f"b-{name}",
                int(random() * _MOMENTS),
                _STARS[int(random() * len(_STARS))],
                f"l-{int(random() * LISTINGS)}",
                _COMMENTS[int(random() * len(_COMMENTS))] if random() < 0.2 else None,
            )


class EventTexts:
    """Ratings as CloudEvents."""

    def __init__(self, drawing: Drawing, subjects: Sequence[str]) -> None:
        self._subjects = subjects
        self._times = [_texts(moment) for moment in drawing.moments]

    def __call__(self, drawn: Drawn) -> str:
        """One event in JSON."""
        time, completed_at = self._times[drawn.moment]
        name = drawn.name
        comment = f',"comment":"{drawn.comment}"' if drawn.comment else ""
        return (
            f'{{"specversion":"1.0","id":"e-{name}","source":"/backoffice/7",'
            f'"type":"review.posted","subject":"{self._subjects[drawn.subject]}","time":"{time}",'
            f'"data":{{"review_id":"r-{name}","order_id":"o-{name}","buyer_id":"{drawn.buyer_id}",'
            f'"listing_id":"{drawn.listing_id}","scores":{{{_scores(drawn)}}},'
            f'"completed_at":"{completed_at}"{comment}}}}}'
        )


class RatingTexts:
    """Ratings as the plain service takes them."""

    def __init__(self, drawing: Drawing, subjects: Sequence[str]) -> None:
        self._subjects = subjects
        self._times = [_texts(moment) for moment in drawing.moments]

    def __call__(self, drawn: Drawn) -> str:
        """One rating in JSON."""
        time, completed_at = self._times[drawn.moment]
        name = drawn.name
        comment = f',"comment":"{drawn.comment}"' if drawn.comment else ""
        return (
            f'{{"shop_id":"{self._subjects[drawn.subject]}","review_id":"r-{name}",'
            f'"order_id":"o-{name}","buyer_id":"{drawn.buyer_id}",'
            f'"listing_id":"{drawn.listing_id}",{_scores(drawn)},"time":"{time}",'
            f'"completed_at":"{completed_at}"{comment}}}'
        )


Record = tuple[object, ...]


class Records:
    """Ratings as rows of the table, in the order of `COLUMNS`."""

    def __init__(self, drawing: Drawing, shop_keys: Sequence[int]) -> None:
        self._moments = drawing.moments
        self._shop_keys = shop_keys

    def __call__(self, drawn: Drawn) -> Record:
        """One row."""
        moment = self._moments[drawn.moment]
        return (
            self._shop_keys[drawn.subject],
            f"r-{drawn.name}",
            drawn.buyer_id,
            moment.month,
            moment.time,
            moment.completed_at,
            moment.day,
            *drawn.stars,
            f"o-{drawn.name}",
            drawn.listing_id,
            drawn.comment,
            0,
        )


def copy_payload(records: Sequence[Record]) -> bytes:
    """Rows in the binary format of COPY, so that nothing is encoded while the clock runs."""
    parts = [b"PGCOPY\n\xff\r\n\0", bytes(8)]
    for record in records:
        parts.append(struct.pack("!h", len(record)))
        parts.extend(_ENCODE[column](value) for column, value in zip(COLUMNS, record, strict=True))
    parts.append(struct.pack("!h", -1))
    return b"".join(parts)


def _text(value: object) -> bytes:
    if value is None:
        return _NULL
    data = str(value).encode()
    return struct.pack("!i", len(data)) + data


def _number(value: object) -> bytes:
    return struct.pack("!iq", 8, value)


def _small(value: object) -> bytes:
    return _NULL if value is None else struct.pack("!ih", 2, value)


def _day(value: object) -> bytes:
    assert isinstance(value, date)
    return struct.pack("!ii", 4, (value - _EPOCH.date()).days)


def _instant(value: object) -> bytes:
    assert isinstance(value, datetime)
    return struct.pack("!iq", 8, (value - _EPOCH) // timedelta(microseconds=1))


_NULL = struct.pack("!i", -1)
_ENCODE = {
    **dict.fromkeys(("review_id", "buyer_id", "order_id", "listing_id", "comment"), _text),
    **dict.fromkeys(("description", "service", "logistics", "state"), _small),
    **dict.fromkeys(("month", "day"), _day),
    **dict.fromkeys(("time", "completed_at"), _instant),
    "shop_key": _number,
}


def _texts(moment: Moment) -> tuple[str, str]:
    return moment.time.isoformat(), moment.completed_at.isoformat()


def _scores(drawn: Drawn) -> str:
    description, service, logistics = drawn.stars
    scores = f'"description":{description},"service":{service}'
    return scores if logistics is None else f'{scores},"logistics":{logistics}'
