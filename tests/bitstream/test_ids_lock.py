"""`bitstreams/ids.lock`: numbers in files never change their meaning."""

import re
from pathlib import Path

from inrcodec.bitstream import container
from inrcodec.bitstream.container import FIRST_ANCILLARY, SECTION_NAMES
from inrcodec.bitstream.header import KIND_NAMES

LOCK = Path(__file__).parents[2] / "bitstreams" / "ids.lock"


def locked_ids() -> list[tuple[str, str, int]]:
    """The rows (kind, name, id) of the lock file, in file order."""
    rows = []
    for number, line in enumerate(LOCK.read_text(encoding="ascii").splitlines(), start=1):
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([a-z_]+) ([a-z][a-z0-9_]*) (0|[1-9][0-9]*)", line)
            assert match, f"{LOCK.name}:{number} is {line!r}, expected 'kind name id'"
            rows.append((match[1], match[2], int(match[3])))
    return rows


def table(kind: str) -> dict[int, str]:
    return {id_: name for kind_, name, id_ in locked_ids() if kind_ == kind}


def test_no_id_and_no_name_is_used_twice() -> None:
    rows = locked_ids()
    assert len({(kind, id_) for kind, _, id_ in rows}) == len(rows)
    assert len({(kind, name) for kind, name, _ in rows}) == len(rows)
    assert all(0 <= id_ <= 255 for _, _, id_ in rows)


def test_section_constants_are_the_locked_ones() -> None:
    locked = table("section")
    assert locked == SECTION_NAMES
    for id_, name in locked.items():
        assert getattr(container, name.upper()) == id_


def test_ids_of_the_first_release_are_as_published() -> None:
    assert table("section").items() >= {
        (1, "header"),
        (2, "payload"),
        (128, "decode_hash"),
        (129, "icc"),
        (130, "exif"),
        (131, "xmp"),
    }
    assert (1, "image") in table("signal").items()
    assert (1, "grid") in table("field").items()
    assert FIRST_ANCILLARY == 128


def test_signal_kinds_are_the_locked_ones() -> None:
    assert table("signal") == KIND_NAMES
