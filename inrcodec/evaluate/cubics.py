"""Integrals and values of smooth curves through few points: monotone (PCHIP) and Akima cubics."""

from __future__ import annotations

import numpy as np

from inrcodec.errors import BadOption


def curve_integral(x: np.ndarray, y: np.ndarray, low: float, high: float, method: str) -> float:
    """The integral from low to high of the piecewise cubic through (x, y).

    Args:
        x: [points] rising, at least 3.
        y: [points].
        low, high: within x[0]..x[-1].
        method: "pchip", which never leaves the range of two neighbours (Fritsch and Butland,
            SIAM J. Sci. Stat. Comput. 5(2), 1984), or "akima", which does not let an outlier sway
            its neighbourhood (Akima, J. ACM 17(4), 1970).

    Raises:
        BadOption: another method.
    """
    total = 0.0
    for i, cubic in enumerate(_pieces(x, y, method)):
        a, b = max(low, x[i]), min(high, x[i + 1])
        if b <= a:
            continue
        antiderivative = cubic.integ()
        total += antiderivative(b - x[i]) - antiderivative(a - x[i])
    return float(total)


def curve_value(x: np.ndarray, y: np.ndarray, at: float, method: str = "pchip") -> float:
    """The piecewise cubic through (x, y) at a place within x[0]..x[-1].

    Args and errors as `curve_integral`.
    """
    i = min(max(int(np.searchsorted(x, at)) - 1, 0), len(x) - 2)
    return float(_pieces(x, y, method)[i](at - x[i]))


def _pieces(x: np.ndarray, y: np.ndarray, method: str) -> list[np.polynomial.Polynomial]:
    """The cubic from each point to the next, of the distance to the first of them."""
    if not isinstance(method, str) or method not in METHODS:
        raise BadOption(f"the method is {method!r}, expected one of {', '.join(METHODS)}")
    slopes = METHODS[method](x, y)
    pieces = []
    for i, h in enumerate(np.diff(x)):
        delta = (y[i + 1] - y[i]) / h
        c2 = (3 * delta - 2 * slopes[i] - slopes[i + 1]) / h
        c3 = (slopes[i] + slopes[i + 1] - 2 * delta) / h**2
        pieces.append(np.polynomial.Polynomial([y[i], slopes[i], c2, c3]))
    return pieces


def _pchip_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Derivatives at the knots: weighted harmonic means inside, three-point formula at the ends."""
    h, delta = np.diff(x), np.diff(y) / np.diff(x)
    slopes = np.zeros(len(x))
    inner = np.flatnonzero(delta[:-1] * delta[1:] > 0)
    w1, w2 = (2 * h[1:] + h[:-1])[inner], (h[1:] + 2 * h[:-1])[inner]
    slopes[inner + 1] = (w1 + w2) / (w1 / delta[inner] + w2 / delta[inner + 1])
    slopes[0] = _end_slope(h[0], h[1], delta[0], delta[1])
    slopes[-1] = _end_slope(h[-1], h[-2], delta[-1], delta[-2])
    return slopes


def _end_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if np.sign(slope) != np.sign(d0):
        return 0.0
    if np.sign(d0) != np.sign(d1) and abs(slope) > 3 * abs(d0):
        return 3 * d0
    return slope


def _akima_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Derivatives at the knots: of the secants around, those that change least count most."""
    inner = np.diff(y) / np.diff(x)
    left, right = 2 * inner[0] - inner[1], 2 * inner[-1] - inner[-2]
    secants = np.array([2 * left - inner[0], left, *inner, right, 2 * right - inner[-1]])
    change = np.abs(np.diff(secants))
    before, after = change[:-2], change[2:]
    # Where both are (nearly) 0, Akima's choice is the mean; the bound is that of SciPy.
    straight = before + after <= 1e-9 * (before + after).max()
    total = np.where(straight, 1.0, before + after)
    weighted = (after * secants[1:-2] + before * secants[2:-1]) / total
    return np.where(straight, 0.5 * (secants[:-3] + secants[3:]), weighted)


METHODS = {"pchip": _pchip_slopes, "akima": _akima_slopes}
