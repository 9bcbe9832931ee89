"""The range coder: the only file that imports constriction.

constriction 0.5.0 turns probabilities p_i into 24-bit cumulative counts
`floor(2**-24 * (2**24 - n) * sum(2**24 p_0 .. p_{i-1})) + i`. With p_i = f_i / 2**24, f_i integers
that sum to 2**24, all of that is exact, so it is integer arithmetic (checked against literal words
in tests). A damaged stream is mostly caught by the CRC before it gets here; what constriction
raises on the rest becomes CorruptFile.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np

from inrcodec.entropy.tables import FRACTIONS, SYMBOLS, probabilities
from inrcodec.errors import CorruptFile

_MAX_CHUNK = 1 << 15  # symbols per call, which bounds the [n, 65] matrix to 17 MB


@functools.cache
def _stream() -> ModuleType:
    """Loaded by the first stream: fits and renders run where there is no constriction."""
    import constriction

    return constriction.stream


@functools.cache
def _categorical() -> Any:
    return _stream().model.Categorical(perfect=False)


def _least_bytes(raw_bits: int) -> int:
    return -(-raw_bits // 8)


def _bits_model(bits: int) -> Any:
    return _stream().model.Uniform(1 << bits)


class Encoder:
    """Writes symbols to a stream of bytes."""

    def __init__(self) -> None:
        self._coder = _stream().queue.RangeEncoder()
        self._raw_bits = 0

    def symbols(self, symbols: np.ndarray, scale: np.ndarray, fraction: np.ndarray) -> None:
        """Appends symbols 0..64 under table rows (scale, fraction); all [n] integers."""
        table = probabilities()
        for i in range(0, len(symbols), _MAX_CHUNK):
            part = slice(i, i + _MAX_CHUNK)
            rows = table[scale[part], fraction[part]]
            self._coder.encode(symbols[part].astype(np.int32), _categorical(), rows)

    def bits(self, values: np.ndarray, bits: int) -> None:
        """Appends values in [0, 2**bits), each at that cost; bits <= 16."""
        if bits and len(values):
            self._raw_bits += bits * len(values)
            self._coder.encode(values.astype(np.int32), _bits_model(bits))

    @property
    def reach_bytes(self) -> int:
        """How much of the stream a decoder has read when it has all that was appended so far.

        A stream that goes on can be cut there: whole words, and the two that a decoder is ahead.
        """
        return 4 * (self._coder.pos()[0] + 2)

    def finish(self) -> bytes:
        """The stream: little-endian 32-bit words without those trailing zero bytes that go.

        It stays as long as the values that `bits` wrote: a decoder can so refuse a short stream
        that announces millions of them before it makes room for any.
        """
        stream = self._coder.get_compressed().astype("<u4").tobytes().rstrip(b"\0")
        return stream.ljust(_least_bytes(self._raw_bits), b"\0")


class Decoder:
    """Reads symbols from a stream of bytes that `Encoder` wrote."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._raw_bits = 0
        self._room = np.empty((0, SYMBOLS))
        # The coder reads zeros behind the end. One of them is given as a word: a decoder that has
        # read it has read all others, and `check_end` can ask whether words are left.
        padded = stream + bytes(-len(stream) % 4 + 4)
        self._coder = _stream().queue.RangeDecoder(np.frombuffer(padded, "<u4").astype(np.uint32))

    def symbols(self, scale: np.ndarray, fraction: np.ndarray) -> np.ndarray:
        """[n] int32 symbols 0..64 under table rows (scale, fraction)."""
        return self.symbols_of_rows(scale * FRACTIONS + fraction)

    def symbols_of_rows(self, rows: np.ndarray) -> np.ndarray:
        """[n] int32 symbols 0..64 under table rows scale * 32 + fraction, [n] int64."""
        if len(rows) > _MAX_CHUNK:
            parts = range(0, len(rows), _MAX_CHUNK)
            return np.concatenate([self.symbols_of_rows(rows[i : i + _MAX_CHUNK]) for i in parts])
        if len(rows) > len(self._room):
            self._room = np.empty((len(rows), SYMBOLS))
        # Room that is already there halves the time of the look-up; "clip" keeps numpy from
        # copying through a buffer.
        room = self._room[: len(rows)]
        probabilities().reshape(-1, SYMBOLS).take(rows, 0, room, "clip")
        return self._checked(_categorical(), room)

    def bits(self, count: int, bits: int) -> np.ndarray:
        """[count] int32 values in [0, 2**bits)."""
        if not bits or not count:
            return np.zeros(count, np.int32)
        self._raw_bits += bits * count
        if (least := _least_bytes(self._raw_bits)) > len(self._stream):
            raise CorruptFile(
                f"the entropy-coded stream has {len(self._stream)} bytes, the numbers that it "
                f"announces take at least {least}; the file is damaged"
            )
        return self._checked(_bits_model(bits), count)

    def check_end(self) -> None:
        """Refuses a stream that holds more than was decoded from it.

        Raises:
            CorruptFile: bytes are left over, or the last word is not one that an encoder writes.
        """
        surplus_zeros = self._stream.endswith(b"\0") and len(self._stream) > _least_bytes(
            self._raw_bits
        )
        if surplus_zeros or not self._coder.maybe_exhausted():
            raise CorruptFile(
                "the entropy-coded stream goes on after its last number; the file is damaged or "
                "was written by a faulty encoder"
            )

    def _checked(self, *request: object) -> np.ndarray:
        try:
            return self._coder.decode(*request)
        except (AssertionError, KeyError, ValueError) as error:
            raise CorruptFile(
                f"the entropy-coded payload does not decode ({error}); the file is damaged"
            ) from error
