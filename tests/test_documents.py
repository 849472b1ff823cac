"""Documents equal what code and results render, and results what the suites go through."""

import re

from tests import documents
from tests.attacks import results as attacks
from tests.documents import render_documents
from tests.faults import results as faults
from tests.faults.rows import LONG_ROWS, TOLD_BY


def test_every_document_equals_its_rendering() -> None:
    for path, text in render_documents().items():
        assert path.read_text("utf-8") == text, "python -m tests.documents writes it"


def test_the_attack_results_are_of_the_suite_as_it_is() -> None:
    results = attacks.read_results()
    assert results == attacks.count_attacks(results.day), "python -m tests.attacks writes them"


def test_the_fault_results_are_of_every_row_and_control_and_not_red() -> None:
    results = faults.read_results()
    assert len({row.row for row in results.rows}) == len(LONG_ROWS), "make faults writes them"
    assert results.controls.keys() == TOLD_BY.keys()
    assert [row.row for row in results.rows if row.complaints] == []
    assert all(results.controls.values())


def test_no_figure_of_a_promise_is_typed() -> None:
    text = re.sub(r"\bP\d\b|\b5xx\b|\b503\b", "", documents.PROMISES)
    assert not re.search(r"\d", text)
