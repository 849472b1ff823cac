"""Run by Python at the start of a service under a negative control; see `tests.faults.broken`."""

import os

from tests.faults.broken import CONTROLS

CONTROLS[os.environ["SHOPDSR_TEST_CONTROL"]].patch()
