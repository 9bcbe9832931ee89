"""Network parameters as bytes: integers in groups that share a step and a table.

Each group has two bytes in the head of the payload, its step and its code; its integers follow in
the stream. Magnitudes of escapes of all groups, and of what else the field codes, come first in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.integers import (
    GroupCode,
    best_code,
    decode_group,
    encode_group,
    plan_group,
)
from inrcodec.errors import TruncatedFile

# In the order of the flat vector of all parameters.
Layout = Mapping[str, tuple[str, tuple[int, ...]]]  # name -> (group, shape)
HEAD_BYTES = 2  # of each group


@dataclass(frozen=True)
class ParameterPlan:
    """What coding the parameters of a field takes, before a byte is written.

    Args:
        head: two bytes for each group.
        escapes: int64 magnitudes that do not fit the tables.
        groups: (symbols, low bits, code) of each group.
    """

    head: bytes
    escapes: np.ndarray
    groups: list[tuple[np.ndarray, np.ndarray, GroupCode]]

    @classmethod
    def of(cls, groups: Mapping[str, np.ndarray], steps: Mapping[str, int]) -> ParameterPlan:
        """The plan for groups in the order given.

        Args:
            groups: name -> int64 vector of at most 24 bits.
            steps: name -> exponent e, 0..31; the parameters are the integers times 2**-e.
        """
        head, escapes, plans = bytearray(), [np.zeros(0, np.int64)], []
        for group, values in groups.items():
            code = best_code(values)
            symbols, low, beyond = plan_group(values, code)
            head += bytes((code.low_bits << 5 | steps[group], code.scale))
            escapes.append(beyond)
            plans.append((symbols, low, code))
        return cls(bytes(head), np.concatenate(escapes), plans)

    def encode(self, encoder: Encoder) -> None:
        """Appends all groups to the stream."""
        for symbols, low, code in self.groups:
            encode_group(encoder, symbols, low, code)


def read_head(
    payload: bytes, groups: Iterable[str]
) -> tuple[dict[str, int], dict[str, GroupCode], int]:
    """(group -> step exponent, group -> code, offset behind the head) of a payload.

    Raises:
        TruncatedFile: the payload ends within its head.
    """
    steps, codes, offset = {}, {}, 0
    for group in groups:
        if len(payload) <= offset + HEAD_BYTES:
            raise TruncatedFile(f"the payload has {len(payload)} bytes, too few for its own head")
        steps[group] = payload[offset] & 31
        codes[group] = GroupCode(payload[offset] >> 5, payload[offset + 1])
        offset += HEAD_BYTES
    return steps, codes, offset


def decode_parameters(
    decoder: Decoder, layout: Layout, codes: Mapping[str, GroupCode], queue: EscapeQueue
) -> dict[str, np.ndarray]:
    """name -> int64 array of every parameter.

    Raises:
        CorruptFile: a table row does not exist or the stream does not decode.
    """
    theta_hat: dict[str, np.ndarray] = {}
    for group in codes:
        members = {n: shape for n, (g, shape) in layout.items() if g == group}
        total = sum(math.prod(shape) for shape in members.values())
        values = decode_group(decoder, total, codes[group], queue)
        for name, shape in members.items():
            n = math.prod(shape)
            theta_hat[name], values = values[:n].reshape(shape), values[n:]
    return {name: theta_hat[name] for name in layout}


def dequantized(
    layout: Layout, theta_hat: Mapping[str, np.ndarray], steps: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """name -> float64 array: integers times 2**-step, exact."""
    return {
        name: np.ldexp(theta_hat[name].astype(np.float64), -steps[group])
        for name, (group, _) in layout.items()
    }
