"""A field's config as one integer of the header.

Every field of the frozen config dataclass carries `metadata={"range": (low, high)}`, inclusive.
The integer is the mixed-radix number of the values in declaration order, so that seven small
choices cost four bytes. Ranges are part of the format: a config that must grow gets a new id.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from inrcodec.bitstream.header import pack_mixed_radix, unpack_mixed_radix

Config = TypeVar("Config")


def ranges_of(config_class: type) -> list[tuple[int, int]]:
    """The inclusive (low, high) of each field of a config dataclass, in declaration order."""
    return [f.metadata["range"] for f in fields(config_class)]


def pack_config(config: Any) -> int:
    """The header integer of a config.

    Raises:
        BadOption: a value is out of its range.
    """
    values = [getattr(config, f.name) for f in fields(config)]
    return pack_mixed_radix(values, ranges_of(type(config)))


def unpack_config(code: int, config_class: type[Config]) -> Config:
    """The config of a header integer.

    Raises:
        CorruptFile: the integer is too large for this family of configs.
    """
    return config_class(*unpack_mixed_radix(code, ranges_of(config_class)))
