"""How large a world is made and how long each load runs."""

import msgspec


class Scale(msgspec.Struct, frozen=True):
    """Sizes of the world, and bounds of the loads in seconds and connections."""

    name: str
    shops: int
    ratings: int
    repeats: int
    warm_s: float
    run_s: float
    huge_ratings: int
    """Ratings of the one shop that has very many."""
    wide_listings: int
    """Listings of the one shop that has very many."""
    curve_connections: tuple[int, ...]
    """Steps of the plot of latency against load."""
    sizes: tuple[int, ...]
    """Further database sizes, in ratings, of the plot of throughput against size."""
    latency_requests: int
    """Requests, one after another, of a measurement of latency alone."""
    audited_shops: int
    """Shops whose stored totals are recounted, those with very much of something among them."""
    rounds: int
    """Rounds of loads over which memory has to stay flat."""
    side_repeats: int
    """Repeats of what is not one of the twelve targets."""
    bulk_connections: int
    small_ratings: int = 10_000
    days: int = 200
    """Days over which the world's ratings are spread; they end now."""
    orders_a_shop: int = 10
    listings_a_shop: int = 5
    clients: int = 64


FULL = Scale(
    name="full",
    shops=10_000,
    ratings=10_000_000,
    repeats=3,
    warm_s=1.0,
    run_s=5.0,
    huge_ratings=1_000_000,
    wide_listings=20_000,
    curve_connections=(1, 4, 16, 64, 256),
    sizes=(1_000_000,),
    latency_requests=1_000,
    audited_shops=200,
    rounds=6,
    bulk_connections=8,
    side_repeats=3,
)
QUICK = Scale(
    name="quick",
    shops=1_000,
    ratings=200_000,
    repeats=3,
    warm_s=0.15,
    run_s=0.5,
    huge_ratings=20_000,
    wide_listings=2_000,
    curve_connections=(1, 16, 64),
    sizes=(),
    latency_requests=100,
    audited_shops=100,
    rounds=3,
    bulk_connections=4,
    side_repeats=1,
)
