"""The Python interface: arrays, paths and Signals in; bytes and Signals out; only InrErrors."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrcodec
from inrcodec.signal import Signal

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "bitstreams" / "v1"
QUICK = {"effort": 1, "device": "cpu"}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """[18, 22, 3] uint8: smooth colours with an edge."""
    y, x = np.mgrid[0:18, 0:22]
    planes = [y * 9 + x * 4, 240 - x * 9, 128 + 50 * np.sin(x / 3)]
    planes[1][:, 12:] += 20
    return np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def data(samples: np.ndarray) -> bytes:
    return inrcodec.encode(samples, **QUICK)


def case(name: str) -> bytes:
    return (CORPUS / name / "case.inr").read_bytes()


def test_an_array_a_path_and_a_signal_of_it_give_the_same_bytes(samples, data, tmp_path) -> None:
    path = tmp_path / "bild ü.png"
    Image.fromarray(samples).save(path)
    assert inrcodec.encode(path, **QUICK) == data
    assert inrcodec.encode(str(path), **QUICK) == data
    assert inrcodec.encode(Signal(samples), **QUICK) == data
    assert isinstance(data, bytes)


def test_the_layout_of_an_array_in_memory_makes_no_difference(samples, data) -> None:
    for view in (np.asfortranarray(samples), np.repeat(samples, 2, axis=1)[:, ::2]):
        assert not view.flags.c_contiguous
        assert inrcodec.encode(view, **QUICK) == data


def test_float_arrays_are_the_8_bit_picture_they_stand_for(samples, data) -> None:
    for dtype in (np.float64, np.float32):
        assert inrcodec.encode((samples / 255).astype(dtype), **QUICK) == data


@pytest.mark.parametrize(
    ("array", "shape", "depth"),
    [
        (np.zeros((3, 5), np.uint8), (3, 5, 1), 8),
        (np.full((3, 5, 1), 255, np.uint8), (3, 5, 1), 8),
        (np.full((4, 4, 2), 9, np.uint8), (4, 4, 2), 8),
        (np.full((4, 4, 4), 9, np.uint8), (4, 4, 4), 8),
        (np.full((4, 6, 3), 40_000, np.uint16), (4, 6, 3), 16),
        (np.eye(5, dtype=bool), (5, 5, 1), 8),
        (np.full((1, 1), 0.5), (1, 1, 1), 8),
        (np.full((1, 300, 3), 77, np.uint8), (1, 300, 3), 8),
        (np.full((300, 1, 3), 77, np.uint8), (300, 1, 3), 8),
    ],
    ids=lambda v: f"{v.dtype}{list(v.shape)}" if isinstance(v, np.ndarray) else "",
)
def test_every_kind_of_array_goes_through_the_default_engine(array, shape, depth) -> None:
    decoded = inrcodec.decode(inrcodec.encode(array, **QUICK))
    assert decoded.samples.shape == shape
    assert decoded.bit_depth == depth


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("lmbda", [1e-7, 1e-3, 10])
def test_a_picture_of_one_colour_keeps_it(value, lmbda) -> None:
    array = np.full((24, 30, 3), value, np.uint8)
    decoded = inrcodec.read(inrcodec.encode(array, lmbda=lmbda, effort=2, device="cpu"))
    assert np.abs(decoded.astype(int) - value).max() <= (2 if lmbda < 1 else 64)


def test_at_a_huge_lmbda_next_to_nothing_is_spent(samples) -> None:
    large = np.tile(samples, (3, 3, 1))
    sizes = [len(inrcodec.encode(large, lmbda=lmbda, **QUICK)) for lmbda in (1e-3, 10)]
    assert sizes[1] < sizes[0] / 3


def test_noise_of_16_bits_at_the_smallest_lmbda_goes_through() -> None:
    noise = np.random.default_rng(0).integers(0, 1 << 16, (24, 20, 3), np.uint16)
    inrcodec.verify(inrcodec.encode(noise, lmbda=1e-7, effort=2, device="cpu"))


def test_a_higher_quality_is_a_larger_file_of_less_error(samples) -> None:
    large = np.tile(samples, (3, 3, 1))
    sizes, errors = [], []
    for quality in (5, 35, 65, 95):
        encoded = inrcodec.encode(large, quality=quality, effort=2, device="cpu")
        decoded = inrcodec.read(encoded)
        sizes.append(len(encoded))
        errors.append(np.square(decoded.astype(float) - large).mean())
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


def test_bytes_and_paths_decode_alike(data, tmp_path) -> None:
    path = tmp_path / "a.inr"
    path.write_bytes(data)
    expected = inrcodec.decode(data).samples
    for file in (path, str(path), bytearray(data), memoryview(data)):
        assert np.array_equal(inrcodec.decode(file).samples, expected)
        assert np.array_equal(inrcodec.read(file), expected)
        assert np.array_equal(inrcodec.verify(file).samples, expected)
        assert inrcodec.info(file) == inrcodec.info(data)


def test_decode_takes_size_scale_region_depth_and_fast(data) -> None:
    whole = inrcodec.decode(data, scale=2)
    assert whole.samples.shape == (36, 44, 3)
    assert inrcodec.decode(data, size=(7, 9)).samples.shape == (7, 9, 3)
    part = inrcodec.decode(data, scale=2, region=(3, 4, 5, 6)).samples
    assert np.array_equal(part, whole.samples[8:20, 6:16])
    deep = inrcodec.decode(data, bit_depth=16)
    assert (deep.bit_depth, deep.samples.dtype) == (16, np.uint16)
    fast = inrcodec.decode(data, fast=True).samples.astype(int)
    assert np.abs(fast - inrcodec.read(data)).max() <= 1


def test_an_open_file_renders_what_decode_does(data, tmp_path) -> None:
    path = tmp_path / "a.inr"
    path.write_bytes(data)
    for file in (path, data):
        with inrcodec.open(file) as image:
            assert image.info == inrcodec.info(data)
            assert (image.info["height"], image.info["width"]) == (18, 22)
            assert image.info["rate_bpp"] == 8 * len(data) / (18 * 22)
            for where in (
                {},
                {"scale": 1.37},
                {"size": (5, 6)},
                {"region": (1, 2, 3, 4), "scale": 4},
                {"bit_depth": 16},
                {"fast": True},
            ):
                found, expected = image.render(**where), inrcodec.decode(data, **where)
                assert np.array_equal(found.samples, expected.samples)
                assert found.bit_depth == expected.bit_depth


def test_metadata_comes_back_and_strip_drops_it(samples) -> None:
    signal = Signal(samples, metadata={"icc": b"profile", "xmp": b"<x/>"})
    kept = inrcodec.encode(signal, **QUICK)
    assert inrcodec.decode(kept).metadata == signal.metadata
    assert inrcodec.info(kept)["metadata_bytes"] == {"icc": 7, "xmp": 4}
    assert inrcodec.decode(inrcodec.encode(signal, strip=True, **QUICK)).metadata == {}


def test_write_says_the_size_and_replaces_only_when_forced(samples, data, tmp_path) -> None:
    path = tmp_path / "a.inr"
    assert inrcodec.write(path, samples, **QUICK) == len(data)
    assert path.read_bytes() == data
    path.write_bytes(b"precious")
    with pytest.raises(inrcodec.OutputError, match="exists"):
        inrcodec.write(path, samples, **QUICK)
    assert path.read_bytes() == b"precious"
    assert inrcodec.write(path, samples, force=True, **QUICK) == len(data)
    assert path.read_bytes() == data
    assert [file.name for file in tmp_path.iterdir()] == ["a.inr"]


def nan_array() -> np.ndarray:
    array = np.zeros((4, 4, 3))
    array[1, 2, 0] = np.nan
    return array


BAD_IMAGES = {
    "NaN": (nan_array, "1 NaN"),
    "infinite": (lambda: np.full((2, 2), np.inf), "infinite"),
    "float above 1": (lambda: np.full((2, 2), 1.5), "expected \\[0, 1\\]"),
    "float below 0": (lambda: np.full((2, 2), -0.1), "expected \\[0, 1\\]"),
    "int64": (lambda: np.zeros((2, 2), np.int64), "int64"),
    "complex": (lambda: np.zeros((2, 2), complex), "complex128"),
    "text": (lambda: np.array([["a"]]), "<U1"),
    "nothing": (lambda: None, "object"),
    "a list of lists": (lambda: [[1, 2], [3, 4]], "int64"),
    "no pixels": (lambda: np.zeros((0, 5), np.uint8), "at least one pixel"),
    "one axis": (lambda: np.zeros(5, np.uint8), "shape"),
    "four axes": (lambda: np.zeros((1, 2, 2, 3), np.uint8), "shape"),
    "five channels": (lambda: np.zeros((2, 2, 5), np.uint8), "1 to 4 channels"),
    "missing file": (lambda: "no such file.png", "no file"),
    "folder": (lambda: str(ROOT), "folder"),
    "no picture": (lambda: str(ROOT / "LICENSE"), "text"),
    "an .inr file": (lambda: CORPUS / "grey" / "case.inr", "decoded, not encoded"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_what_cannot_be_encoded_is_bad_input(name) -> None:
    make, words = BAD_IMAGES[name]
    with pytest.raises(inrcodec.BadInput, match=words) as caught:
        inrcodec.encode(make(), **QUICK)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "options",
    [
        {"lmbda": 1e-3, "quality": 50},
        {"lmbda": 0},
        {"lmbda": -1e-3},
        {"lmbda": float("nan")},
        {"lmbda": float("inf")},
        {"quality": -1},
        {"quality": 101},
        {"quality": float("nan")},
        {"effort": 0},
        {"effort": 10},
        {"effort": 2.5},
        {"seed": -1},
        {"seed": 2**31},
        {"field": "nonesuch"},
        {"device": "abacus"},
        {"engine": "steam"},
        {"lmbda": "x"},
        {"lmbda": (1e-3,)},
        {"quality": "50"},
        {"effort": "5"},
        {"effort": [5]},
        {"seed": 1.5},
        {"seed": "1"},
        {"field": 1},
        {"device": 0},
        {"engine": ["cpu"]},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(samples, options) -> None:
    with pytest.raises(inrcodec.BadOption):
        inrcodec.encode(samples, **{**QUICK, **options})


def test_options_may_be_numbers_of_numpy(samples) -> None:
    found = inrcodec.encode(
        samples,
        quality=np.float32(50),
        **{**QUICK, "effort": np.int64(1), "seed": np.uint8(0)},
    )
    assert found == inrcodec.encode(samples, quality=50, **QUICK)


BAD_FILES: dict[str, tuple[Callable[[bytes], object], type[Exception]]] = {
    "empty": (lambda _: b"", inrcodec.NotAnInrFile),
    "other format": (lambda _: b"\x89PNG\r\n\x1a\n....", inrcodec.NotAnInrFile),
    "cut": (lambda data: data[:-9], inrcodec.TruncatedFile),
    "bit flipped": (
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        inrcodec.CorruptFile,
    ),
    "newer version": (lambda data: data[:8] + b"\x02" + data[9:], inrcodec.UnsupportedFile),
    "size bomb": (lambda _: case("faulty/size_bomb"), inrcodec.LimitExceeded),
    "compute bomb": (lambda _: case("faulty/compute_bomb"), inrcodec.LimitExceeded),
    "missing": (lambda _: "no such file.inr", inrcodec.BadInput),
    "folder": (lambda _: ROOT, inrcodec.BadInput),
    "number": (lambda _: 5, inrcodec.BadInput),
    "nothing": (lambda _: None, inrcodec.BadInput),
    "path with a zero byte": (lambda _: "a\0b", inrcodec.BadInput),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("verb", ["decode", "read", "verify", "open"])
def test_what_cannot_be_decoded_has_its_own_error(data, name, verb) -> None:
    damage, error = BAD_FILES[name]
    with pytest.raises(error) as caught:
        result = getattr(inrcodec, verb)(damage(data))
        result.render()  # only `open` gets here: it reads the payload when it must
    assert isinstance(caught.value, inrcodec.InrError)


@pytest.mark.parametrize(
    "where",
    [
        {"size": (4, 4), "scale": 2},
        {"size": (0, 4)},
        {"size": (4, 4.5)},
        {"scale": 0},
        {"scale": -1},
        {"scale": float("nan")},
        {"region": (0, 0, 100, 100)},
        {"region": (-1, 0, 3, 3)},
        {"region": (0, 0, 0, 3)},
        {"bit_depth": 0},
        {"bit_depth": 17},
        {"bit_depth": 8.5},
        {"size": (4,)},
        {"scale": "2"},
        {"region": (0, 0, 3)},
    ],
    ids=str,
)
def test_places_that_make_no_sense_are_refused(data, where) -> None:
    with pytest.raises(inrcodec.BadOption):
        inrcodec.decode(data, **where)
    with inrcodec.open(data) as image, pytest.raises(inrcodec.BadOption):
        image.render(**where)


def test_a_closed_image_renders_nothing(data) -> None:
    with inrcodec.open(data) as image:
        image.render()
    with pytest.raises(inrcodec.BadOption, match="closed"):
        image.render()


@pytest.mark.parametrize("verb", ["decode", "read", "verify", "info", "open"])
def test_limits_bind_every_reader(data, verb) -> None:
    getattr(inrcodec, verb)(data, limits=inrcodec.Limits(max_pixels=18 * 22))
    with pytest.raises(inrcodec.LimitExceeded):
        getattr(inrcodec, verb)(data, limits=inrcodec.Limits(max_pixels=18 * 22 - 1))


def test_a_dash_is_a_file_name_like_any_other(samples, data, tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    for dash in ("-", Path("-")):
        assert inrcodec.write(dash, samples, force=True, **QUICK) == len(data)
        assert (tmp_path / "-").read_bytes() == data
        assert np.array_equal(inrcodec.read(dash), inrcodec.read(data))
        assert inrcodec.info(dash) == inrcodec.info(data)
    Image.fromarray(samples).save(tmp_path / "-", format="PNG")
    assert inrcodec.encode("-", **QUICK) == data
    assert capfdbinary.readouterr().out == b""


@pytest.mark.parametrize("path", [None, 5, "a\0b"])
def test_an_output_that_is_no_path_is_refused(samples, path) -> None:
    with pytest.raises(inrcodec.OutputError, match="expected a path"):
        inrcodec.write(path, samples, **QUICK)


def test_a_file_whose_samples_are_not_those_of_the_encoder_does_not_verify() -> None:
    forged = case("faulty/wrong_decode_hash")
    inrcodec.decode(forged)
    with pytest.raises(inrcodec.CorruptFile, match="hash"):
        inrcodec.verify(forged)


def test_every_public_name_exists_and_every_failure_is_an_inr_error() -> None:
    for name in inrcodec.__all__:
        assert getattr(inrcodec, name) is not None
        assert name in dir(inrcodec)
    errors = [getattr(inrcodec, n) for n in inrcodec.__all__ if n[0].isupper() and n != "OpenFile"]
    exceptions = [e for e in errors if isinstance(e, type) and issubclass(e, Exception)]
    assert len(exceptions) >= 9
    assert all(issubclass(e, inrcodec.InrError) for e in exceptions)
    with pytest.raises(AttributeError, match="nonesuch"):
        inrcodec.nonesuch  # noqa: B018


def test_the_example_of_the_readme_runs(samples, tmp_path) -> None:
    """On a small picture: numbers of the example that suppose a large one are made smaller."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## From Python")[1]
    example = re.search(r"```python\n(.*?)```", section, re.S)[1]
    for old, new in (("effort=5", "effort=1"), ("(300, 120, 64, 64)", "(3, 2, 8, 8)")):
        assert example.count(old) == 1
        example = example.replace(old, new)
    Image.fromarray(samples).save(tmp_path / "photo.png")
    inrcodec.write(tmp_path / "photo.inr", samples, **QUICK)
    script = example + "\nprint(image.shape, detail.samples.shape)\n"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("22 ")
    assert done.stdout.splitlines()[-1] == "(36, 44, 3) (64, 64, 3)"
