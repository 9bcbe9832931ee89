"""What all coordinate networks share: their weights are the file, and a formula renders them.

A family derives from `NetworkField` and says which parameters it has and what it makes of them.
Values lie on [-1, 1]: black to white, or full scale both ways.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from inrcodec.bitstream.config import named_values, unpack_config
from inrcodec.bitstream.header import Header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.integers import GroupCode, decode_magnitudes, encode_magnitudes
from inrcodec.entropy.parameters import (
    Layout,
    ParameterPlan,
    decode_parameters,
    dequantized,
    read_head,
)
from inrcodec.errors import CorruptFile
from inrcodec.grid import Grid
from inrcodec.kernels.decoding import decode_arithmetic


class NetworkField:
    """A coordinate network as integers.

    Args:
        config: its shape.
        features: (coordinates, channels) of the signal.
        kind: of the signal; sound has values on [-1, 1], pictures on [0, 1].
        steps: group -> exponent e; parameters of the group are integers times 2**-e.
        theta_hat: parameter name -> int64 array.
    """

    config_class: ClassVar[type]
    fit_module: ClassVar[str]
    kinds: ClassVar[frozenset[str]] = frozenset({"image", "audio", "video"})
    device = "cpu"

    def __init__(
        self,
        config: Any,
        features: tuple[int, int],
        kind: str,
        steps: dict[str, int],
        theta_hat: dict[str, np.ndarray],
    ) -> None:
        self.config = config
        self.features = features
        self.kind = kind
        self.steps = steps
        self.theta_hat = theta_hat

    @classmethod
    def layout(cls, config: Any, in_features: int, out_features: int) -> Layout:
        """name -> (group, shape) of every parameter, in the order in which groups are coded."""
        raise NotImplementedError

    @classmethod
    def macs(cls, config: Any, in_features: int, out_features: int) -> int:
        """Multiply-adds of one sample."""
        raise NotImplementedError

    @classmethod
    def widest(cls, config: Any) -> int:
        """Rows of the widest layer, as real numbers."""
        raise NotImplementedError

    @classmethod
    def network(cls, a: Any, config: Any, theta: Mapping[str, Any], coords: Any) -> Any:
        """[out_features, samples] values on [-1, 1].

        Args:
            a: arithmetic, see `kernels.arithmetic`.
            config: shape of the network.
            theta: name -> parameter, as in `layout`.
            coords: [in_features, samples]: x, y, t on [-1, 1]; of sound t alone.
        """
        raise NotImplementedError

    def theta(self) -> dict[str, np.ndarray]:
        """name -> float64 array: the dequantized parameters, exact."""
        return dequantized(self.layout(self.config, *self.features), self.theta_hat, self.steps)

    def groups(self) -> dict[str, np.ndarray]:
        """group -> int64 vector of its parameters, in layout order."""
        layout = self.layout(self.config, *self.features)
        return {
            group: np.concatenate(
                [self.theta_hat[n].ravel() for n, (g, _) in layout.items() if g == group]
            )
            for group in groups_of(layout)
        }

    def pack(self) -> bytes:
        plan = ParameterPlan.of(self.groups(), self.steps)
        encoder = Encoder()
        encode_magnitudes(encoder, plan.escapes)
        plan.encode(encoder)
        return plan.head + pack_varint(len(plan.escapes)) + encoder.finish()

    @classmethod
    def unpack(cls, payload: bytes, header: Header, limits: Limits) -> Self:
        opened = open_payload(cls, payload, header, limits)
        theta_hat = decode_parameters(opened.decoder, opened.layout, opened.codes, opened.queue)
        opened.queue.check_empty()
        opened.decoder.check_end()
        config = unpack_config(header.config_code, cls.config_class)
        return cls(config, features_of(header), header.kind_name, opened.steps, theta_hat)

    def render(self, grid: Grid, fast: bool = False) -> np.ndarray:
        work = math.prod(grid.shape) * self.macs(self.config, *self.features)
        a = decode_arithmetic(work, fast, self.device)
        theta = {name: a.constant(values) for name, values in self.theta().items()}
        values = a.evaluate(
            lambda coords: self.network(a, self.config, theta, coords),
            coordinates(grid),
            self.features[1],
            width=max(self.widest(self.config), *self.features),
        )
        if self.kind != "audio":
            values = (values + 1.0) * 0.5
        return np.moveaxis(values.reshape(self.features[1], *grid.shape), 0, -1)

    @classmethod
    def describe(cls, header: Header) -> dict[str, Any]:
        return named_values(unpack_config(header.config_code, cls.config_class))

    @classmethod
    def complexity(cls, header: Header) -> dict[str, Any]:
        config, features = unpack_config(header.config_code, cls.config_class), features_of(header)
        return {
            "parameters": parameter_count(cls.layout(config, *features)),
            "macs_per_sample": cls.macs(config, *features),
        }

    @classmethod
    def render_work(cls, header: Header, grid: Grid) -> tuple[int, int]:
        config = unpack_config(header.config_code, cls.config_class)
        return math.prod(grid.shape), cls.macs(config, *features_of(header))


class OpenPayload(NamedTuple):
    """A payload of which everything before the groups is read.

    Args:
        layout: of all its parameters.
        steps, codes: of all groups.
        queue: the magnitudes of their escapes.
        decoder: at the beginning of the first group.
        offset: where the stream begins in the payload.
    """

    layout: Layout
    steps: dict[str, int]
    codes: dict[str, GroupCode]
    queue: EscapeQueue
    decoder: Decoder
    offset: int


def open_payload(
    family: type[NetworkField], payload: bytes, header: Header, limits: Limits
) -> OpenPayload:
    """A payload, its size and the work to render it checked.

    Raises:
        LimitExceeded: the header asks for more than is allowed.
        CorruptFile: the payload contradicts the header, or ends too soon.
    """
    config, features = unpack_config(header.config_code, family.config_class), features_of(header)
    layout = family.layout(config, *features)
    parameters = parameter_count(layout)
    limits.check_params(parameters)
    limits.check_macs(math.prod(header.shape), family.macs(config, *features))
    steps, codes, offset = read_head(payload, groups_of(layout))
    count, offset = read_varint(payload, offset)
    if count > parameters:
        raise CorruptFile(f"the payload announces {count} escapes for {parameters} integers")
    decoder = Decoder(payload[offset:])
    queue = EscapeQueue(decode_magnitudes(decoder, count))
    return OpenPayload(layout, steps, codes, queue, decoder, offset)


def groups_of(layout: Layout) -> list[str]:
    """Groups of parameters that share a step, in the order in which they are coded."""
    return list(dict.fromkeys(group for group, _ in layout.values()))


def parameter_count(layout: Layout) -> int:
    return sum(math.prod(shape) for _, shape in layout.values())


def flat(layout: Layout, parts: Mapping[str, np.ndarray | float]) -> np.ndarray:
    """[parameters] float64 of arrays by name, or of one number for all entries of a name."""
    filled = [np.broadcast_to(parts[name], shape).ravel() for name, (_, shape) in layout.items()]
    return np.concatenate(filled).astype(np.float64)


def features_of(header: Header) -> tuple[int, int]:
    """(coordinates, channels) of the signal in a file."""
    return len(header.shape), header.channels


def coordinates(grid: Grid) -> np.ndarray:
    """[axes, samples] float64 on [-1, 1]: x, y, t, the fastest axis first."""
    mesh = np.meshgrid(*(axis.coords for axis in grid.axes), indexing="ij")
    return np.stack([plane.ravel() for plane in reversed(mesh)])
