"""The registry: unique, complete, and honest about what it does not know."""

import pytest

from inrcodec import registry
from inrcodec.errors import BadOption, UnsupportedFile


def test_names_and_ids_are_unique():
    for room in registry.ROOMS:
        found = registry.entries(room)
        ids = [e.id for e in found if e.id is not None]
        assert len({e.name for e in found}) == len(found) > 0
        assert len(set(ids)) == len(ids)


def test_a_name_and_its_id_lead_to_the_same_part():
    for entry in registry.entries("fields"):
        assert registry.get("fields", entry.name) == entry
        assert registry.by_id("fields", entry.id) == entry


def test_unknown_names_list_the_known_ones():
    with pytest.raises(BadOption, match="there are: grid"):
        registry.get("fields", "nonesuch")


def test_unknown_ids_ask_for_a_newer_version():
    with pytest.raises(UnsupportedFile, match="newer inrcodec"):
        registry.by_id("fields", 255)


@pytest.mark.parametrize(("name", "id"), [("grid", 200), ("other", 1)])
def test_a_taken_name_or_id_is_refused(name, id):
    registry.entries("fields")
    with pytest.raises(ValueError, match="collides"):
        registry.register("fields", name, id)(object)
