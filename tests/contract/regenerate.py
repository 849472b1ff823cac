"""Write openapi/v1.json anew from the code and the examples.

Run as `python -m tests.contract.regenerate`.
"""

import json
from pathlib import Path

from api.contract import contract
from tests.contract.examples import examples

FILE = Path(__file__).parents[2] / "openapi" / "v1.json"


def generated() -> str:
    """Return the contract as the code and the examples say it."""
    return json.dumps(contract(examples()), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(generated(), "utf-8")
