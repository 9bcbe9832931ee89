"""Multiplicative filter networks: products of sines, instead of sines of sines.

```
z_0 = g_0(x),   z_i = g_i(x) * (W_i z_{i-1} + b_i),   y_k = V_k z_k + c_k
```

They are sums of sines (or Gabor wavelets) whose frequencies are sums of the filters' own (Fathony
et al., "Multiplicative Filter Networks", ICLR 2021). With frozen filters of bounded frequency every
z_i therefore has a known band limit: that is BACON (Lindell et al., arXiv 2112.04645), which has
outputs y_k after several layers, each the signal at a scale of its own.

Parameters are in the file in the order of the layers, so a lower scale decodes from a prefix of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any, ClassVar, Self

import numpy as np

from inrcodec.bitstream.config import unpack_config
from inrcodec.bitstream.header import Header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint
from inrcodec.entropy.coder import Encoder
from inrcodec.entropy.integers import GroupCode, encode_group, encode_magnitudes, plan_group
from inrcodec.entropy.parameters import Layout, ParameterPlan, decode_parameters
from inrcodec.errors import BadOption, TruncatedFile
from inrcodec.fields import Variant
from inrcodec.fields.network import NetworkField, features_of, groups_of, open_payload
from inrcodec.registry import register

BACON, FOURIER, GABOR = range(3)
FILTERS = ("bacon", "fouriernet", "gabornet")  # user names, by number


@dataclass(frozen=True)
class MfnConfig:
    """Shape of a multiplicative filter network. All of it is in the header.

    Args:
        filters: 0 sines of frozen whole frequencies, 1 sines, 2 sines in Gaussian windows.
        hidden_features: width.
        hidden_layers: square matrices; there is one filter more.
        early_outputs: bit i - 1 says that layer i has an output. The last layer has one in any
            case; bits of it and beyond mean nothing.
    """

    filters: int = attribute(default=FOURIER, metadata={"range": (0, 2)})
    hidden_features: int = attribute(default=28, metadata={"range": (1, 1024)})
    hidden_layers: int = attribute(default=3, metadata={"range": (1, 8)})
    early_outputs: int = attribute(default=0, metadata={"range": (0, 127)})

    @property
    def output_layers(self) -> list[int]:
        """Layers with an output, coarsest first."""
        early = [i for i in range(1, self.hidden_layers) if self.early_outputs >> (i - 1) & 1]
        return [*early, self.hidden_layers]

    def at_scale(self, scale: int) -> Self:
        """The shape of the network that ends with an output; 0 is the coarsest.

        Raises:
            BadOption: there is no such output.
        """
        if not 0 <= scale < len(self.output_layers):
            raise BadOption(f"scale is {scale}, expected 0..{len(self.output_layers) - 1}")
        return replace(self, hidden_layers=self.output_layers[scale])


@register("fields", "mfn", id=3)
class MfnField(NetworkField):
    """Filters of the coordinates, multiplied layer by layer."""

    config_class: ClassVar[type] = MfnConfig
    fit_module: ClassVar[str] = "inrcodec.fit.mfn"

    @classmethod
    def layout(cls, config: MfnConfig, in_features: int, out_features: int) -> Layout:
        """Parameters layer by layer; those between two outputs share their groups."""
        layout: dict[str, tuple[str, tuple[int, ...]]] = {}
        width, scale = config.hidden_features, 0
        for i in range(config.hidden_layers + 1):
            layout[f"frequency{i}"] = (f"frequency.{scale}", (width, in_features))
            layout[f"phase{i}"] = (f"phase.{scale}", (width,))
            if config.filters == GABOR:
                layout[f"centre{i}"] = (f"centre.{scale}", (width, in_features))
                layout[f"gamma{i}"] = (f"gamma.{scale}", (width,))
            if i:
                layout[f"weight{i}"] = (f"weight{i}", (width, width))
                layout[f"bias{i}"] = (f"bias.{scale}", (width,))
            if i in config.output_layers:
                layout[f"output{i}"] = (f"output.{scale}", (out_features, width))
                layout[f"offset{i}"] = (f"bias.{scale}", (out_features,))
                scale += 1
        return layout

    @classmethod
    def macs(cls, config: MfnConfig, in_features: int, out_features: int) -> int:
        """Of the last output: no other is computed for a picture."""
        width, products = config.hidden_features, 2 if config.filters == GABOR else 1
        filters = (config.hidden_layers + 1) * width * in_features * products
        return filters + config.hidden_layers * width**2 + width * out_features

    @classmethod
    def widest(cls, config: MfnConfig) -> int:
        return config.hidden_features

    @classmethod
    def network(cls, a: Any, config: MfnConfig, theta: Mapping[str, Any], coords: Any) -> Any:
        return _outputs(a, config, theta, coords, config.output_layers[-1:])[0]

    @classmethod
    def all_outputs(cls, a: Any, config: MfnConfig, theta: Mapping[str, Any], coords: Any) -> Any:
        """[out_features * scales, samples] values on [-1, 1], a channel's scales side by side.

        A fit asks all outputs for the signal, as BACON's does.
        """
        found = _outputs(a, config, theta, coords, config.output_layers)
        return a.concatenate([y[c : c + 1] for c in range(len(found[0])) for y in found])

    @classmethod
    def variants(cls) -> dict[str, Variant]:
        mfn = "Multiplicative filter networks, Fathony et al., ICLR 2021"
        bacon = "BACON, Lindell et al., arXiv 2112.04645"
        sines = "products of sines of learned frequencies: multiplicative filter network"
        windows = "products of sines in Gaussian windows: multiplicative filter network"
        scales = "products of sines of frozen frequencies, an output at each scale: BACON"
        size = ("hidden_features", "hidden_layers")
        options = (*size, "input_scale")
        paper = MfnConfig(BACON, hidden_layers=4, early_outputs=0b11)
        return {
            "mfn": Variant(sines, mfn, MfnConfig(), options),
            "fouriernet": Variant(sines, mfn, MfnConfig(FOURIER), options),
            "gabornet": Variant(windows, mfn, MfnConfig(GABOR), options),
            "bacon": Variant(scales, bacon, paper, size),
        }

    @classmethod
    def describe(cls, header: Header) -> dict[str, Any]:
        config = unpack_config(header.config_code, cls.config_class)
        shown = super().describe(header) | {"filters": FILTERS[config.filters]}
        del shown["early_outputs"]
        return shown | {"output_layers": config.output_layers}

    @classmethod
    def bands(cls, header: Header) -> int:
        """Number of outputs of the field in a file, each of which `unpack_prefix` takes."""
        return len(unpack_config(header.config_code, cls.config_class).output_layers)

    @property
    def scales(self) -> int:
        """Number of outputs."""
        return len(self.config.output_layers)

    def at_scale(self, scale: int) -> Self:
        """The field of one output, complete in itself; 0 is the coarsest, `scales - 1` this one.

        Raises:
            BadOption: there is no such output.
        """
        config = self.config.at_scale(scale)
        layout = self.layout(config, *self.features)
        return type(self)(
            config,
            self.features,
            self.kind,
            {group: self.steps[group] for group in groups_of(layout)},
            {name: self.theta_hat[name] for name in layout},
        )

    def prefix_bytes(self, scale: int) -> int:
        """How many bytes of `pack()` hold a scale: what `unpack_prefix` wants at least.

        That is the heads of all groups, the magnitudes of all escapes, the groups of the scale, and
        up to 8 bytes more: the range coder reads whole words, two ahead.

        Raises:
            BadOption: there is no such output.
        """
        groups = self.groups()
        plan = ParameterPlan.of(groups, self.steps)
        codes = {group: part[2] for group, part in zip(groups, plan.groups, strict=True)}
        mine = groups_of(self.layout(self.config.at_scale(scale), *self.features))
        reach = _reach_bytes(plan.escapes, [(groups[g], codes[g]) for g in mine])
        head = len(plan.head) + len(pack_varint(len(plan.escapes)))
        return min(head + reach, len(self.pack()))

    @classmethod
    def unpack_prefix(
        cls, prefix: bytes, payload_bytes: int, header: Header, scale: int, limits: Limits
    ) -> Self:
        """The field of one output, from the beginning of the payload.

        Args:
            prefix: the first bytes of the payload, at least `prefix_bytes(scale)`.
            payload_bytes: length of the whole payload, which its section says.
            header: of the file.
            scale: 0 is the coarsest.
            limits: checked before anything is allocated.

        Raises:
            BadOption: there is no such output.
            TruncatedFile: the prefix is too short for it.
            CorruptFile: the prefix does not decode, which one that is too short may not either.
        """
        config = unpack_config(header.config_code, cls.config_class).at_scale(scale)
        layout = cls.layout(config, *features_of(header))
        opened = open_payload(cls, prefix, header, limits)
        mine = groups_of(layout)
        codes = {group: opened.codes[group] for group in mine}
        theta_hat = decode_parameters(opened.decoder, layout, codes, opened.queue)
        steps = {group: opened.steps[group] for group in mine}
        field = cls(config, features_of(header), header.kind_name, steps, theta_hat)
        decoded = [(values, codes[group]) for group, values in field.groups().items()]
        needed = opened.offset + _reach_bytes(opened.queue.magnitudes, decoded)
        if len(prefix) < min(needed, payload_bytes):
            raise TruncatedFile(
                f"scale {scale} takes {min(needed, payload_bytes)} bytes of the payload or more, "
                f"there are {len(prefix)}; read on, or ask for a lower scale"
            )
        return field


def _outputs(
    a: Any, config: MfnConfig, theta: Mapping[str, Any], coords: Any, wanted: Sequence[int]
) -> list[Any]:
    """[out_features, samples] after each of the layers that are wanted."""
    z, found = _filter(a, config, theta, 0, coords), []
    for i in range(1, config.hidden_layers + 1):
        mixed = a.affine(theta[f"weight{i}"], theta[f"bias{i}"], z)
        z = _filter(a, config, theta, i, coords) * mixed
        if i in wanted:
            found.append(a.affine(theta[f"output{i}"], theta[f"offset{i}"], z))
    return found


def _filter(a: Any, config: MfnConfig, theta: Mapping[str, Any], i: int, coords: Any) -> Any:
    """[hidden_features, samples]: g_i of the coordinates."""
    frequency = theta[f"frequency{i}"]
    if config.filters == BACON:
        # Whole cycles over the extent of the coordinates, 2.
        frequency = frequency * math.pi
    sine = a.sin(a.affine(frequency, theta[f"phase{i}"], coords))
    if config.filters != GABOR:
        return sine
    centre, distance = theta[f"centre{i}"], None
    for d in range(len(coords)):
        along = coords[d] - centre[:, d][:, None]
        distance = along * along if distance is None else distance + along * along
    return sine * a.exp(distance * (theta[f"gamma{i}"] * -0.5)[:, None])


def _reach_bytes(escapes: np.ndarray, groups: Sequence[tuple[np.ndarray, GroupCode]]) -> int:
    """Bytes of the stream that a decoder has read once it has these (values, code) of groups."""
    encoder = Encoder()
    encode_magnitudes(encoder, escapes)
    for values, code in groups:
        symbols, low, _ = plan_group(values, code)
        encode_group(encoder, symbols, low, code)
    return encoder.reach_bytes
