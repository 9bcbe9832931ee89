"""Opaque payloads that travel with the samples of any kind of signal."""

from __future__ import annotations

from collections.abc import Mapping

from inrcodec.errors import BadInput

METADATA_NAMES = ("icc", "exif", "xmp")


def check_metadata(metadata: Mapping[str, bytes]) -> None:
    """Refuses metadata that a file has no section for.

    Raises:
        BadInput: another name than METADATA_NAMES, or a block that is no bytes.
    """
    for name, block in metadata.items():
        if name not in METADATA_NAMES or not isinstance(block, bytes):
            raise BadInput(
                f"metadata {name!r} is a {type(block).__name__}, "
                f"expected bytes under one of the names {', '.join(METADATA_NAMES)}"
            )
