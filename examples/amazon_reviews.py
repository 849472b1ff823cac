"""Rows of Amazon's customer reviews, as tab-separated text with a line of names.

A row does not say when its review was edited, so the instant of the export is the revision:

    python -m examples.amazon_reviews SHOP_ID EXPORTED_AT < reviews.tsv
"""

import csv
import html
import sys
from collections.abc import Iterator, Mapping

from examples.events import Json, arguments, event, milliseconds, print_lines

COMMENT_CHARACTERS_MAX = 10_000


def review_events(row: Mapping[str, str], shop_id: str, exported: str) -> Iterator[Json]:
    """Yield the event of a review; one without a purchase is no rating."""
    if row["verified_purchase"] != "Y":
        return
    texts = (row["review_headline"], row["review_body"].replace("<br />", "\n"))
    comment = html.unescape("\n".join(filter(None, texts)))
    data = {
        "review_id": row["review_id"],
        "buyer_id": row["customer_id"],
        "listing_id": row["product_id"],
        # The single star of a review is about the product.
        "scores": {"description": int(row["star_rating"])},
        "comment": comment[:COMMENT_CHARACTERS_MAX] or None,
        "revision": milliseconds(exported),
    }
    # Noon in UTC is the same day in most zones.
    time = f"{row['review_date']}T12:00:00Z"
    yield event("review.posted", shop_id, "/amazon", row["review_id"], time=time, data=data)


if __name__ == "__main__":
    shop, exported_at = arguments("SHOP_ID", "EXPORTED_AT")
    for row in csv.DictReader(sys.stdin, delimiter="\t", quoting=csv.QUOTE_NONE):
        print_lines(review_events(row, shop, exported_at))
