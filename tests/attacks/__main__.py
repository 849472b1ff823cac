"""The attack suite with its results kept: `python -m tests.attacks`.

The counts of a run in which every test passed are in `results.json` afterwards, and in the
documents that are rendered from it.
"""

import subprocess
import sys
from datetime import UTC, datetime

from tests.attacks.results import count_attacks, write_results
from tests.documents import write_documents

SUITE = ("tests/attacks", "tests/contract/test_schemathesis.py")


def main() -> int:
    """Run the suite, and write what it has tried."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *SUITE]
    status = subprocess.run(command, check=False).returncode
    if status == 0:
        write_results(count_attacks(datetime.now(UTC).date().isoformat()))
        write_documents()
    return status


if __name__ == "__main__":
    sys.exit(main())
