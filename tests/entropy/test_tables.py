"""The probability table: the committed integers, and what follows from them."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np

from inrcodec.entropy.tables import FRACTIONS, SCALES, SYMBOLS, cost_bits, frequencies, survival

ROOT = Path(__file__).parents[2]
TABLE_SHA256 = "eb55b2bf6f8d95c0190edd7206c2815dc1600994c16c120f981e1a015eaa59a5"


def test_the_committed_table_is_the_one_of_the_format() -> None:
    assert survival().shape == (SCALES, 1025)
    assert hashlib.sha256(survival().astype("<u4").tobytes()).hexdigest() == TABLE_SHA256
    assert TABLE_SHA256 in (ROOT / "bitstreams/SPEC.md").read_text(encoding="utf-8")


def test_the_committed_table_is_what_its_definition_says() -> None:
    script = ROOT / "tools" / "make_tables"
    assert subprocess.run([sys.executable, script, "--check"], timeout=60).returncode == 0


def test_frequencies_of_every_row_are_counts_that_sum_to_2_to_the_24() -> None:
    assert frequencies().shape == (SCALES, FRACTIONS, SYMBOLS)
    assert (frequencies() >= 0).all()
    assert (frequencies().sum(axis=2) == 1 << 24).all()


def test_mass_falls_with_the_distance_and_grows_with_the_scale() -> None:
    assert (np.diff(survival(), axis=1) <= 0).all()
    assert (np.diff(survival(), axis=0) >= 0).all()
    assert (survival()[:, 0] == 1 << 23).all()


def test_rows_are_mirror_images() -> None:
    """A mean 1/32 above an integer is as far from it as one 1/32 below."""
    table = frequencies()
    assert (table[:, 16] == table[:, 16, ::-1]).all()
    for fraction in range(1, FRACTIONS):
        assert (table[:, fraction] == table[:, 32 - fraction, ::-1]).all()


def test_frequencies_are_those_of_a_laplace_distribution() -> None:
    for scale, fraction in ((36, 16), (50, 3), (70, 31)):
        b, centre = 2 ** ((scale - 36) / 8), (fraction - 16) / 32
        edges = np.arange(-31.5, 32) - centre
        cdf = np.where(edges < 0, np.exp(edges / b) / 2, 1 - np.exp(-edges / b) / 2)
        expected = np.diff(cdf)
        found = frequencies()[scale, fraction, 1:-1] / 2**24
        assert np.abs(found - expected).max() < 2e-7


def test_no_symbol_costs_more_than_24_bits() -> None:
    assert cost_bits().max() <= 24
    assert cost_bits().min() > 0
