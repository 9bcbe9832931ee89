"""The range coder: the only file that imports constriction.

constriction 0.5.0 turns probabilities p_i into 24-bit cumulative counts
`floor(2**-24 * (2**24 - n) * sum(2**24 p_0 .. p_{i-1})) + i`. With p_i = f_i / 2**24, f_i integers
that sum to 2**24, all of that is exact, so it is integer arithmetic (checked against literal words
in tests). A damaged stream is mostly caught by the CRC before it gets here; what constriction
raises on the rest becomes CorruptFile.
"""

from __future__ import annotations

import constriction
import numpy as np

from inrcodec.entropy.tables import probabilities
from inrcodec.errors import CorruptFile

_queue = constriction.stream.queue
_CATEGORICAL = constriction.stream.model.Categorical(perfect=False)
_MAX_CHUNK = 1 << 15  # symbols per call, which bounds the [n, 65] matrix to 17 MB


def _bits_model(bits: int) -> constriction.stream.model.Uniform:
    return constriction.stream.model.Uniform(1 << bits)


class Encoder:
    """Writes symbols to a stream of bytes."""

    def __init__(self) -> None:
        self._coder = _queue.RangeEncoder()

    def symbols(self, symbols: np.ndarray, scale: np.ndarray, fraction: np.ndarray) -> None:
        """Appends symbols 0..64 under table rows (scale, fraction); all [n] integers."""
        table = probabilities()
        for i in range(0, len(symbols), _MAX_CHUNK):
            part = slice(i, i + _MAX_CHUNK)
            rows = table[scale[part], fraction[part]]
            self._coder.encode(symbols[part].astype(np.int32), _CATEGORICAL, rows)

    def bits(self, values: np.ndarray, bits: int) -> None:
        """Appends values in [0, 2**bits), each at that cost; bits <= 16."""
        if bits and len(values):
            self._coder.encode(values.astype(np.int32), _bits_model(bits))

    def finish(self) -> bytes:
        """The stream: little-endian 32-bit words without the trailing zero bytes."""
        return self._coder.get_compressed().astype("<u4").tobytes().rstrip(b"\0")


class Decoder:
    """Reads symbols from a stream of bytes that `Encoder` wrote."""

    def __init__(self, stream: bytes) -> None:
        # Any whole number of extra zero words is harmless: the coder reads zeros past the end.
        padded = stream + bytes(-len(stream) % 4)
        self._coder = _queue.RangeDecoder(np.frombuffer(padded, "<u4").astype(np.uint32))

    def symbols(self, scale: np.ndarray, fraction: np.ndarray) -> np.ndarray:
        """[n] int32 symbols 0..64 under table rows (scale, fraction)."""
        return self._checked(_CATEGORICAL, probabilities()[scale, fraction])

    def bits(self, count: int, bits: int) -> np.ndarray:
        """[count] int32 values in [0, 2**bits)."""
        if not bits or not count:
            return np.zeros(count, np.int32)
        return self._checked(_bits_model(bits), count)

    def _checked(self, *request: object) -> np.ndarray:
        try:
            return self._coder.decode(*request)
        except (AssertionError, KeyError, ValueError) as error:
            raise CorruptFile(
                f"the entropy-coded payload does not decode ({error}); the file is damaged"
            ) from error
