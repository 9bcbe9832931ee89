"""Limits: exact at the bound, in integers that do not wrap, with a message that helps."""

from collections.abc import Callable

import pytest

from inrcodec.bitstream.limits import LARGE_FILE_BYTES, Limits
from inrcodec.errors import LimitExceeded

SMALL = Limits(
    max_dimension=100,
    max_pixels=2000,
    max_params=50,
    max_macs=6000,
    max_samples=40,
    max_sections=3,
    max_segments=5,
    max_metadata_bytes=10,
    max_file_bytes=99,
)
CASES: list[tuple[str, Callable[[Limits], None], Callable[[Limits], None], str, str]] = [
    (
        "max_dimension",
        lambda m: m.check_size(100, 20),
        lambda m: m.check_size(101, 1),
        "101",
        "100",
    ),
    (
        "max_dimension",
        lambda m: m.check_size(20, 100),
        lambda m: m.check_size(1, 101),
        "101",
        "100",
    ),
    ("max_pixels", lambda m: m.check_size(50, 40), lambda m: m.check_size(87, 23), "2001", "2000"),
    ("max_params", lambda m: m.check_params(50), lambda m: m.check_params(51), "51", "50"),
    ("max_macs", lambda m: m.check_macs(60, 100), lambda m: m.check_macs(353, 17), "6001", "6000"),
    (
        "max_pixels",
        lambda m: m.check_segment(2000),
        lambda m: m.check_segment(2001),
        "2001",
        "2000",
    ),
    ("max_samples", lambda m: m.check_samples(40), lambda m: m.check_samples(41), "41", "40"),
    ("max_segments", lambda m: m.check_segments(5), lambda m: m.check_segments(6), "6", "5"),
    ("max_sections", lambda m: m.check_sections(3), lambda m: m.check_sections(4), "4", "3"),
    (
        "max_metadata_bytes",
        lambda m: m.check_metadata(10, "icc"),
        lambda m: m.check_metadata(11, "icc"),
        "11",
        "10",
    ),
    ("max_file_bytes", lambda m: m.check_file(99), lambda m: m.check_file(100), "100", "99"),
]


@pytest.mark.parametrize(("name", "at_bound", "above", "found", "allowed"), CASES)
def test_the_bound_itself_is_allowed_and_one_more_is_not(
    name: str,
    at_bound: Callable[[Limits], None],
    above: Callable[[Limits], None],
    found: str,
    allowed: str,
) -> None:
    at_bound(SMALL)
    with pytest.raises(LimitExceeded) as caught:
        above(SMALL)
    message = str(caught.value)
    assert found in message and allowed in message and f"Limits({name}=...)" in message


def test_products_do_not_wrap_around_64_bits() -> None:
    # 2**32 * 2**32 is 0 in 64-bit arithmetic.
    wide = Limits(max_dimension=2**63)
    with pytest.raises(LimitExceeded, match=str(2**64)):
        wide.check_size(2**32, 2**32)
    with pytest.raises(LimitExceeded, match=str(2**64)):
        wide.check_macs(2**32, 2**32)


def test_unlimited_lets_the_largest_header_numbers_pass() -> None:
    limits, largest = Limits.unlimited(), 2**63 - 1
    limits.check_size(largest, largest)
    limits.check_params(largest)
    limits.check_macs(largest * largest, largest)
    limits.check_sections(largest)
    limits.check_metadata(largest, "exif")
    limits.check_file(largest)
    limits.check_segment(largest * largest)
    limits.check_samples(largest * largest)
    limits.check_segments(largest)


def test_default_limits_take_a_hundred_megapixel_photo_and_refuse_a_bomb() -> None:
    limits = Limits()
    limits.check_size(11648, 8736)
    limits.check_macs(11648 * 8736, 3000)
    with pytest.raises(LimitExceeded):
        limits.check_size(2**31, 2**31)
    with pytest.raises(LimitExceeded):
        limits.check_macs(2**28, 10**6)


def test_a_large_file_may_take_as_much_more_work_to_render() -> None:
    limits = Limits(max_macs=1000)
    limits.check_macs(10, 100, 20)
    limits.check_macs(30, 100, 3 * LARGE_FILE_BYTES)
    with pytest.raises(LimitExceeded, match="3010 multiply"):
        limits.check_macs(10, 301, 3 * LARGE_FILE_BYTES)
