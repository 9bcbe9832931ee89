"""`bitstreams/ids.lock`: numbers in files never change their meaning."""

import re
from pathlib import Path

from inrcodec import registry
from inrcodec.bitstream import container
from inrcodec.bitstream.container import FIRST_ANCILLARY, SECTION_NAMES
from inrcodec.bitstream.header import KIND_NAMES
from inrcodec.bitstream.video_header import CHROMA_LOCATION_IDS, SUBSAMPLING_IDS
from inrcodec.fields.mfn import FILTERS
from inrcodec.signal.colour import CHROMA_LOCATIONS, SUBSAMPLINGS

LOCK = Path(__file__).parents[2] / "bitstreams" / "ids.lock"


def locked_ids() -> list[tuple[str, str, int]]:
    """The rows (kind, name, id) of the lock file, in file order."""
    rows = []
    for number, line in enumerate(LOCK.read_text(encoding="ascii").splitlines(), start=1):
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([a-z_]+) ([a-z][a-z0-9_-]*) (0|[1-9][0-9]*)", line)
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


def test_layouts_of_video_are_the_locked_ones_and_all_that_signals_have() -> None:
    shown = {id_: f"yuv{name.replace(':', '')}" for name, id_ in SUBSAMPLING_IDS.items()}
    assert table("subsampling") == shown
    assert table("chroma_location") == {id_: name for name, id_ in CHROMA_LOCATION_IDS.items()}
    assert SUBSAMPLING_IDS.keys() == SUBSAMPLINGS.keys()
    assert CHROMA_LOCATION_IDS.keys() == CHROMA_LOCATIONS.keys()


def test_every_part_of_a_decoder_is_locked() -> None:
    for room in registry.ROOMS:
        registered = {e.id: e.name for e in registry.entries(room) if e.id is not None}
        assert table(room.removesuffix("s")) == registered
    assert table("filter") == dict(enumerate(FILTERS))
