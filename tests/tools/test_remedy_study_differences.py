"""Student's t and Holm's p, against tables and by hand."""

from __future__ import annotations

import pytest
from remedy_study_differences import difference, holm, of_values, share_within


@pytest.mark.parametrize(
    ("t", "freedom", "share"),
    # Fisher's table of two-sided points.
    [(12.7062, 1, 0.95), (4.3027, 2, 0.95), (3.1824, 3, 0.95), (2.2622, 9, 0.95),
     (2.2281, 10, 0.95), (63.6567, 1, 0.99), (2.7564, 29, 0.99), (0.0, 4, 0.0)],
)  # fmt: skip
def test_shares_are_those_of_the_tables(t: float, freedom: int, share: float) -> None:
    assert share_within(t, freedom) == pytest.approx(share, abs=5e-6)


def test_a_difference_is_of_the_keys_that_both_have() -> None:
    first, second = {"a": 3.0, "b": 5.0, "c": 9.0}, {"b": 4.0, "c": 6.0, "d": 0.0}
    found = difference(first, second, 2)
    assert (found.count, found.mean) == (2, 2.0)
    assert (found.low, found.high) == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)
    assert found.p == pytest.approx(1 - 0.704833, abs=1e-6)  # t is 2, of one degree of freedom
    assert difference(first, second, 3) is None


def test_differences_that_are_all_alike_are_certain_or_none() -> None:
    assert of_values([1.0, 1.0, 1.0]).p == 0 and of_values([0.0, 0.0]).p == 1


def test_holm_s_p_grow_with_the_number_of_tests_and_keep_their_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.2, 0.9]) == pytest.approx([0.4, 0.9]) and holm([]) == []
