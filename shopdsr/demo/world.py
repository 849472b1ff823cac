"""A small made-up world: twelve shops of one category, each with a story of its own.

The same world every day, only moved: all of it is dated by days before today, on days that have
ended. Chance comes from a generator that is seeded with the name of the shop.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from domain.counters import DIMENSIONS, Dimension
from domain.facts import Event
from domain.facts.listings import (
    CountedStock,
    ListingEdited,
    ListingPublished,
    ListingWithdrawn,
    NamedListing,
    PublishedListing,
    StockCounted,
)
from domain.facts.orders import Line, OrderPaid, PaidOrder
from domain.facts.ratings import (
    ModeratedReview,
    PostedReview,
    Reason,
    ReviewPosted,
    ReviewRemoved,
    ReviewRestored,
    Scores,
)
from domain.shops import IdentifiedDraft, Kind, money
from domain.tier import LadderDraft

MARKETPLACE = "taobao"
CATEGORY = "baby"
CURRENCY = "CNY"
ZONE = "Asia/Shanghai"
FALLING = "panda-prams"
"""The shop whose logistics score falls: fives of an opening sale leave while a carrier fails."""

Weights: TypeAlias = tuple[int, int, int, int, int]
"""How often a buyer gives 1, 2, 3, 4 and 5 stars."""

DELIGHTED: Weights = (0, 0, 0, 3, 97)
CONTENT: Weights = (0, 1, 2, 9, 88)
LUKEWARM: Weights = (1, 3, 8, 23, 65)
ANGRY: Weights = (15, 20, 25, 25, 15)

_RATED_AFTER_DAYS = (4, 9)  # what an order takes to be completed and then rated
_UNRATED_IN = 8  # one rating in so many leaves a dimension out


class World(NamedTuple):
    """What is sent to the service, in this order; `stories` say in a few words what is told."""

    shops: list[IdentifiedDraft]
    ladder: LadderDraft
    events: list[Event]
    stories: dict[str, str]


class _Good(NamedTuple):
    """A listing with the price of one unit, in fen."""

    listing_id: str
    price: int


class _Diary:
    """What happened in one shop, written down by days before today."""

    def __init__(self, shop_id: str, today: date) -> None:
        self.shop_id = shop_id
        self.today = today
        self.events: list[Event] = []
        self.chance = Random(shop_id)  # noqa: S311  (made up, not secret)

    def publish(self, prices: Mapping[str, int], ago: int, stock: int = 60) -> list[_Good]:
        """Put listings on sale, named by their titles, and count their stock."""
        goods = []
        for title, yuan in prices.items():
            good = _Good(title.lower().replace(" ", "-"), 100 * yuan)
            data = PublishedListing(good.listing_id, title)
            self._note(ListingPublished, ago, data)
            self._note(StockCounted, 1, CountedStock(good.listing_id, stock))
            goods.append(good)
        return goods

    def edit(self, good: _Good, ago: int) -> None:
        self._note(ListingEdited, ago, NamedListing(good.listing_id))

    def relist(self, good: _Good, ago: int) -> None:
        """Take a listing off sale and put it back an hour later, to look new."""
        off = self._instant(ago, hour=9)
        named = NamedListing(good.listing_id)
        self._note(ListingWithdrawn, off, named)
        again = PublishedListing(good.listing_id)
        self._note(ListingPublished, off + timedelta(hours=1), again)

    def trade(
        self,
        goods: list[_Good],
        first: int,
        last: int,
        orders: int,
        *,
        units: int = 1,
        mood: Weights = CONTENT,
        **moods: Weights,
    ) -> None:
        """Add orders evenly from `first` to `last` days ago, rated once completed.

        `mood` is that of every dimension but those given by name.
        """
        for index in range(orders):
            ago = first - (first - last) * index // orders
            good = self.chance.choice(goods)
            order_id, buyer_id = f"o-{len(self.events)}", f"b-{len(self.events)}"
            line = Line(good.listing_id, units, money(units * good.price, CURRENCY))
            self._note(OrderPaid, ago, PaidOrder(order_id, [line], buyer_id))
            rated = ago - self.chance.randint(*_RATED_AFTER_DAYS)
            stars = self._stars({name: moods.get(name, mood) for name in DIMENSIONS})
            if rated > 0:
                completed = rated + self.chance.randint(0, 2)
                self.rate(buyer_id, rated, stars, completed, good, order_id=order_id)

    def rate(
        self,
        buyer_id: str,
        ago: int,
        scores: Scores,
        completed: int,
        good: _Good,
        *,
        order_id: str | None = None,
    ) -> str:
        """Add a rating given `ago` days ago, and return its id."""
        number = len(self.events)
        data = PostedReview(
            review_id=f"r-{number}",
            order_id=order_id or f"o-{number}",
            buyer_id=buyer_id,
            scores=scores,
            listing_id=good.listing_id,
            completed_at=self._instant(completed, hour=8),
        )
        self._note(ReviewPosted, ago, data)
        return data.review_id

    def remove(self, review_id: str, ago: int, reason: Reason) -> None:
        self._note(ReviewRemoved, ago, ModeratedReview(review_id, reason))

    def restore(self, review_id: str, ago: int) -> None:
        self._note(ReviewRestored, ago, ModeratedReview(review_id))

    def _stars(self, moods: Mapping[Dimension, Weights]) -> Scores:
        given: dict[str, int | None] = {
            name: self.chance.choices((1, 2, 3, 4, 5), weights)[0]
            for name, weights in moods.items()
        }
        if self.chance.randrange(_UNRATED_IN) == 0:
            given["service"] = None
        return Scores(**given)

    def _note(self, kind: Callable[..., Event], when: int | datetime, data: object) -> None:
        self.events.append(
            kind(
                specversion="1.0",
                id=f"{self.shop_id}-{len(self.events)}",
                source="/demo",
                subject=self.shop_id,
                time=when if isinstance(when, datetime) else self._instant(when),
                data=data,
            )
        )

    def _instant(self, ago: int, hour: int | None = None) -> datetime:
        """Return a time of a past day, from 10 to 22 h unless given."""
        at = time(hour or self.chance.randrange(10, 22), self.chance.randrange(60))
        return datetime.combine(self.today - timedelta(days=ago), at, ZoneInfo(ZONE))


def world(today: date) -> World:
    """Return the world as it is on the morning of a day in Shanghai."""
    shops, events, stories = [], [], {}
    for shop_id, (kind, opened_ago, story, tell) in _SHOPS.items():
        diary = _Diary(shop_id, today)
        tell(diary)
        events += diary.events
        stories[shop_id] = story
        shops.append(
            IdentifiedDraft(
                shop_id=shop_id,
                marketplace=MARKETPLACE,
                category=CATEGORY,
                currency=CURRENCY,
                time_zone=ZONE,
                kind=kind,
                opened_on=today - timedelta(days=opened_ago),
            )
        )
    return World(shops, LadderDraft(CURRENCY, list(_LADDER)), events, stories)


_LADDER = ("2000.00", "8000.00", "20000.00", "40000.00", "80000.00", "200000.00")


def _panda_prams(diary: _Diary) -> None:
    prams = diary.publish({"Folding pram": 899, "Rain cover": 79, "Cup holder": 39}, ago=230)
    [footmuff] = diary.publish({"Footmuff": 129}, ago=230)
    diary.trade(prams, 217, 186, 90, mood=DELIGHTED)
    diary.trade([*prams, footmuff], 185, 45, 90, mood=DELIGHTED)
    diary.trade(prams, 42, 36, 22, logistics=ANGRY)
    diary.trade(prams, 34, 1, 36, mood=DELIGHTED)


def _moon_mittens(diary: _Diary) -> None:
    goods = diary.publish({"Wool mittens": 45, "Cotton hat": 39, "Bib set": 59}, ago=400)
    diary.trade(goods, 190, 1, 120, units=5, mood=DELIGHTED)


def _tiny_tugboat(diary: _Diary) -> None:
    goods = diary.publish({"Bath boat": 49, "Bath thermometer": 35, "Hooded towel": 89}, ago=700)
    diary.trade(goods, 190, 1, 220, units=120)


def _cloud_cot(diary: _Diary) -> None:
    sold = diary.publish({"Cot sheet": 99, "Cot mattress": 399}, ago=300)
    slow = diary.publish({"Canopy": 199, "Cot mobile": 149, "Cot bumper": 129}, ago=240, stock=200)
    unpaid = diary.publish({"Night lamp": 89, "Sleeping bag": 169, "Swaddle": 79}, ago=35)
    diary.trade(slow, 235, 150, 12)
    diary.trade(sold, 190, 3, 50)
    diary.trade(unpaid[:1], 20, 10, 3)
    diary.edit(slow[0], ago=20)
    diary.relist(slow[1], ago=12)


def _first_steps(diary: _Diary) -> None:
    goods = diary.publish({"Soft shoes": 119, "Grip socks": 29}, ago=24)
    diary.trade(goods, 20, 1, 12, mood=DELIGHTED)


def _sunny_bibs(diary: _Diary) -> None:
    goods = diary.publish({"Muslin bib": 25, "Silicone bib": 35, "Smock": 55}, ago=260)
    diary.trade(goods, 190, 2, 80)
    # All completed in the same month, so only the first three count.
    month_before = diary.today.replace(day=1) - timedelta(days=1)
    for day in (5, 8, 11, 14, 17, 20):
        ago = (diary.today - month_before.replace(day=day)).days
        diary.rate("b-unhappy", ago, Scores(1, 1, 1), ago, goods[0])


def _paper_crane_toys(diary: _Diary) -> None:
    goods = diary.publish({"Wooden train": 159, "Stacking rings": 69, "Puzzle": 49}, ago=320)
    diary.trade(goods, 190, 2, 85, units=9)
    for ago in range(12, 60, 4):
        diary.rate(f"b-late-{ago}", ago, Scores(2, 2, 1), ago + 16, goods[0])


def _jade_rattle(diary: _Diary) -> None:
    goods = diary.publish({"Rattle": 59, "Teether": 39, "Pacifier clip": 25}, ago=280)
    diary.trade(goods, 190, 2, 85)
    attack = [
        diary.rate(f"b-rival-{hit}", 25, Scores(1, 1, 1), 26, goods[hit % 3]) for hit in range(9)
    ]
    for review_id in attack:
        diary.remove(review_id, 20, "malicious")
    for review_id in attack[:2]:
        diary.restore(review_id, 15)


def _plum_knits(diary: _Diary) -> None:
    goods = diary.publish({"Cardigan": 189, "Knitted blanket": 259, "Booties": 69}, ago=210)
    diary.trade(goods, 190, 2, 90, units=2, description=LUKEWARM)


def _river_strollers(diary: _Diary) -> None:
    goods = diary.publish({"City stroller": 1299, "Twin stroller": 1999}, ago=500)
    diary.trade(goods, 190, 2, 95, units=4, service=LUKEWARM)


def _little_lantern(diary: _Diary) -> None:
    goods = diary.publish({"Star lantern": 79, "Festival set": 299}, ago=150)
    diary.trade(goods, 140, 40, 45)
    diary.trade(goods, 29, 29, 6, units=10)
    diary.trade(goods, 28, 2, 12)


def _stork_express(diary: _Diary) -> None:
    goods = diary.publish({"Nappies": 99, "Wipes": 29, "Changing mat": 89}, ago=350)
    diary.trade(goods, 190, 1, 130, units=40, description=LUKEWARM, logistics=DELIGHTED)


_SHOPS: dict[str, tuple[Kind, int, str, Callable[[_Diary], None]]] = {
    FALLING: ("enterprise", 230, "fives leave, a carrier fails", _panda_prams),
    "moon-mittens": ("individual", 400, "steady star", _moon_mittens),
    "tiny-tugboat": ("flagship", 700, "sells the most", _tiny_tugboat),
    "cloud-cot": ("enterprise", 300, "half its shelf is slow", _cloud_cot),
    "first-steps": ("individual", 24, "new, few ratings", _first_steps),
    "sunny-bibs": ("individual", 260, "one buyer over the cap", _sunny_bibs),
    "paper-crane-toys": ("enterprise", 320, "late ratings", _paper_crane_toys),
    "jade-rattle": ("individual", 280, "ratings removed, two restored", _jade_rattle),
    "plum-knits": ("individual", 210, "not quite as described", _plum_knits),
    "river-strollers": ("enterprise", 500, "slow to answer", _river_strollers),
    "little-lantern": ("individual", 150, "its best day leaves tomorrow", _little_lantern),
    "stork-express": ("flagship", 350, "fast, less as described", _stork_express),
}
