"""Random rules, all of them valid."""

import random
from decimal import Decimal

from tests.reference.rules import BUILT_IN, Json


def random_rules(rng: random.Random) -> Json:
    """Draw every field, often at its bounds."""
    return {
        **BUILT_IN["taobao"],
        "rating_window_days": rng.choice((1, 2, 7, 29, 90, 180, 365, 730)),
        "ratings_per_buyer_month": rng.choice((None, 1, 2, 3, 1000)),
        "rating_deadline_days": rng.choice((None, 0, 1, 15, 365)),
        "min_ratings": rng.choice((1, 1, 2, 5, 50)),
        "peer_min_shops": rng.choice((2, 2, 3, 5)),
        "sales_window_days": rng.choice((1, 7, 30, 180, 365)),
        "refunds_reduce_sales": rng.choice((True, False)),
        "tier_quantiles": _rising(rng),
        "sold_window_days": rng.choice((1, 2, 7, 30, 365)),
        "zero_payment": {
            "published": rng.choice(("within", "before")),
            "published_days": rng.choice((1, 30, 90, 365)),
            "no_sale_days": rng.choice((1, 7, 365)),
        },
        "slow_days": rng.choice((1, 7, 30, 730)),
    }


def _rising(rng: random.Random) -> list[str]:
    return [str(Decimal(cut) / 1000) for cut in sorted(rng.sample(range(1, 1000), 6))]
