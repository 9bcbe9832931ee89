"""Step sizes of network parameters, chosen on the final objective.

Every group of parameters gets a power-of-two step 2**-e. The exponents are found by coordinate
descent on J = D + lambda R with R the latents under the quantized context model plus the coded
parameters themselves; Cool-Chic searches exhaustively (Ladune et al., arXiv 2212.05458, sec. 3.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from inrcodec.entropy.context import FRACTION_BITS, MAX_WEIGHT
from inrcodec.entropy.integers import MAX_ESCAPE_BITS, MAX_LOW_BITS, best_code, group_cost_bits
from inrcodec.entropy.parameters import Layout

# Integer of a parameter: every one up to here has a code, and float32 holds it.
_LARGEST = 1 << (MAX_ESCAPE_BITS + MAX_LOW_BITS)

# Cost of latents and distortion under flat float parameters: D + lambda * latent bits / pixels.
Cost = Callable[[np.ndarray], float]


class QuantizedWeights:
    """Network parameters as integers and steps, refined against a cost.

    Args:
        layout: name -> (group, shape), in the order of the flat vector.
        theta: [parameters] float32, the fitted values.
        cost: of a flat vector, without the parameters' own bits.
        bit_price: what one bit adds to the cost, lambda / pixels.
        highest: group -> largest exponent that the format allows.
        least_bits: group -> bits, their sign among them, that its largest integer keeps whatever
            they cost; none where a group is left out.
    """

    def __init__(
        self,
        layout: Layout,
        theta: np.ndarray,
        cost: Cost,
        bit_price: float,
        highest: Mapping[str, int],
        least_bits: Mapping[str, int] | None = None,
    ) -> None:
        self._cost, self._bit_price, self._highest = cost, bit_price, highest
        sizes = [int(np.prod(shape)) for _, shape in layout.values()]
        ends = np.cumsum(sizes)
        self._layout = layout
        self._where = {
            group: np.concatenate(
                [
                    np.arange(end - size, end)
                    for (g, _), size, end in zip(layout.values(), sizes, ends, strict=True)
                    if g == group
                ]
            )
            for group in dict.fromkeys(g for g, _ in layout.values())
        }
        self.theta = theta.astype(np.float64)
        bits = least_bits or {}
        self._lowest = {
            group: self._lowest_exponent(group, bits.get(group, 0)) for group in self._where
        }
        self.exponents = {group: self._first_exponent(group) for group in self._where}
        self.integers = np.zeros(len(theta), np.int64)
        for group in self._where:
            self._round(group, self.exponents[group])
        self._bits = {group: self._group_bits(group) for group in self._where}
        self.best = self._total()

    def values(self) -> np.ndarray:
        """[parameters] float32: the dequantized parameters."""
        out = np.empty(len(self.integers))
        for group, where in self._where.items():
            out[where] = np.ldexp(self.integers[where].astype(np.float64), -self.exponents[group])
        return out.astype(np.float32)

    def theta_hat(self) -> dict[str, np.ndarray]:
        """name -> int64 array in its shape."""
        result, offset = {}, 0
        for name, (_, shape) in self._layout.items():
            size = int(np.prod(shape))
            result[name] = self.integers[offset : offset + size].reshape(shape).copy()
            offset += size
        return result

    @property
    def bits(self) -> float:
        """Bits of all parameters as coded."""
        return sum(self._bits.values())

    def search_steps(self, passes: int = 2) -> None:
        """Moves each group's exponent while the cost falls, group after group."""
        for _ in range(passes):
            before = self.best
            for group in self._where:
                for direction in (-1, 1):
                    while self._try_exponent(group, self.exponents[group] + direction):
                        pass
            if self.best == before:
                return

    def refine(self, candidates: int, tried_one: Callable[[], None] = lambda: None) -> int:
        """Greedy rate-distortion optimised quantization: moves single integers while that pays.

        Parameters are tried from the worst rounded on, one step towards the other side of the
        fitted value and one towards zero.

        Args:
            candidates: how many moves to evaluate at most.
            tried_one: called after each of them.

        Returns:
            Number of moves tried.
        """
        tried = 0
        group_of = {int(i): group for group, where in self._where.items() for i in where}
        scale = np.empty(len(self.integers))
        for group, where in self._where.items():
            scale[where] = 2.0 ** self.exponents[group]
        error = self.theta * scale - self.integers
        for i in np.argsort(-np.abs(error)):
            if not self._highest[group_of[int(i)]]:
                continue  # whole numbers that were chosen, not fitted
            value = int(self.integers[i])
            moves = {value + (1 if error[i] > 0 else -1), value - int(np.sign(value))} - {value}
            for move in sorted(moves):
                if tried == candidates:
                    return tried
                tried += 1
                self._try_integer(group_of[int(i)], int(i), move)
                tried_one()
        return tried

    def _first_exponent(self, group: str) -> int:
        """8, or less where the search would begin among integers that are clipped."""
        exponent = min(8, self._highest[group])
        if not group.startswith("arm"):
            while exponent and self._largest(group) * 2**exponent > _LARGEST:
                exponent -= 1
        return max(exponent, self._lowest[group])

    def _lowest_exponent(self, group: str, bits: int) -> int:
        """The one from which on the largest integer has so many bits, if the format allows it."""
        largest = self._largest(group)
        if not bits or not largest:
            return 0
        _, own = math.frexp(largest)  # it is below 2**own
        return min(max(0, bits - own), self._highest[group])

    def _largest(self, group: str) -> float:
        return float(np.abs(self.theta[self._where[group]]).max(initial=0.0))

    def _round(self, group: str, exponent: int) -> None:
        where = self._where[group]
        limit = self._limit(group, exponent)
        scaled = np.rint(np.ldexp(self.theta[where], exponent))
        self.integers[where] = np.clip(scaled, -limit, limit).astype(np.int64)
        self.exponents[group] = exponent

    def _limit(self, group: str, exponent: int) -> int:
        """Largest integer: for the context model what keeps its sums exact."""
        if not group.startswith("arm"):
            return _LARGEST
        return (int(MAX_WEIGHT) >> FRACTION_BITS) << exponent

    def _group_bits(self, group: str) -> float:
        values = self.integers[self._where[group]]
        return group_cost_bits(values, best_code(values))

    def _total(self) -> float:
        return self._cost(self.values()) + self._bit_price * self.bits

    def _try_exponent(self, group: str, exponent: int) -> bool:
        if not self._lowest[group] <= exponent <= self._highest[group]:
            return False
        old = self.exponents[group], self.integers[self._where[group]].copy(), self._bits[group]
        self._round(group, exponent)
        self._bits[group] = self._group_bits(group)
        total = self._total()
        if total < self.best:
            self.best = total
            return True
        self.exponents[group], self.integers[self._where[group]], self._bits[group] = old
        return False

    def _try_integer(self, group: str, index: int, value: int) -> bool:
        if abs(value) > self._limit(group, self.exponents[group]):
            return False
        old = int(self.integers[index]), self._bits[group]
        self.integers[index] = value
        self._bits[group] = self._group_bits(group)
        total = self._total()
        if total < self.best:
            self.best = total
            return True
        self.integers[index], self._bits[group] = old
        return False
