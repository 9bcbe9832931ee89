"""A field's config as one integer of the header.

Every field of the frozen config dataclass carries `metadata={"range": (low, high)}`, inclusive, or
`metadata={"room": name}` where it is a part of that room of the registry: its id is the number, and
the options of the part follow behind all fields of the config itself. The integer is the
mixed-radix number of all those values, so that seven small choices cost four bytes. Ranges are part
of the format: a config that must grow gets a new id.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from inrcodec import registry
from inrcodec.bitstream.mixed_radix import (
    pack_mixed_radix,
    split_mixed_radix,
    unpack_mixed_radix,
)

Config = TypeVar("Config")
PART_IDS = (0, 31)


def ranges_of(config_class: type) -> list[tuple[int, int]]:
    """The inclusive (low, high) of each field of a config dataclass, in declaration order."""
    return [f.metadata.get("range", PART_IDS) for f in fields(config_class)]


def pack_config(config: Any) -> int:
    """The header integer of a config.

    Raises:
        BadOption: a value is out of its range, or all of them together are too many for it.
    """
    own, rest = [], []
    for f in fields(config):
        value = getattr(config, f.name)
        if "room" in f.metadata:
            rest.append(value)
            value = registry.of_part(f.metadata["room"], type(value)).id
        own.append(value)
    values, ranges = own, ranges_of(type(config))
    for part in rest:
        values = values + [getattr(part, f.name) for f in fields(part)]
        ranges = ranges + ranges_of(type(part))
    return pack_mixed_radix(values, ranges)


def unpack_config(code: int, config_class: type[Config]) -> Config:
    """The config of a header integer.

    Raises:
        CorruptFile: the integer is too large for this family of configs.
        UnsupportedFile: it names a part that this version does not know.
    """
    rooms = [f.metadata.get("room") for f in fields(config_class)]
    if not any(rooms):
        return config_class(*unpack_mixed_radix(code, ranges_of(config_class)))
    values, rest = split_mixed_radix(code, ranges_of(config_class))
    parts = [
        registry.by_id(room, value).part for room, value in zip(rooms, values, strict=True) if room
    ]
    options = list(
        unpack_mixed_radix(rest, [range_ for part in parts for range_ in ranges_of(part)])
    )
    made = []
    for part in parts:
        count = len(fields(part))
        made.append(part(*options[:count]))
        del options[:count]
    pending = iter(made)
    return config_class(
        *(next(pending) if room else value for room, value in zip(rooms, values, strict=True))
    )


def named_values(config: Any) -> dict[str, Any]:
    """name -> value of everything in a config: parts by name, their options behind them."""
    found: dict[str, Any] = {}
    for f in fields(config):
        value = getattr(config, f.name)
        if "room" in f.metadata:
            found[f.name] = registry.of_part(f.metadata["room"], type(value)).name
            found |= {option.name: getattr(value, option.name) for option in fields(value)}
        else:
            found[f.name] = value
    return found
