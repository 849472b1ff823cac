"""Small integrations: each prints the events of what a platform exports, as `docs/mapping.md` says.

They read the export on stdin and need no more than the standard library:

    python -m examples.woocommerce shop-42 < examples/inputs/woocommerce.json
"""
