"""Pictures in, pictures out: through files, through pipes, at every size."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrcodec


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return -10 * np.log10(np.mean((a.astype(float) - b) ** 2) / 255**2)


def test_a_picture_survives_encode_and_decode(call, picture, samples, tmp_path, quick):
    inr, png = tmp_path / "ä b.inr", tmp_path / "ä b.png"
    done = call("encode", picture, inr, *quick)
    assert done.code == 0
    assert done.out == b""
    assert call("decode", inr, png).code == 0
    decoded = pixels(png.read_bytes())
    assert decoded.shape == samples.shape
    assert psnr_db(decoded, samples) > 25
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ä b.inr", "ä b.png"]


def test_the_last_line_of_encode_tells_bytes_rate_psnr_time_and_lambda(
    call, picture, samples, tmp_path, quick
):
    inr, png = tmp_path / "a.inr", tmp_path / "a.png"
    done = call("encode", picture, inr, *quick, "--lmbda", "3e-3", "--json")
    facts = json.loads(done.out)
    size = inr.stat().st_size
    call("decode", inr, png)
    assert facts["file_bytes"] == size
    assert facts["rate_bpp"] == 8 * size / (24 * 16)
    assert facts["psnr_db"] == pytest.approx(psnr_db(pixels(png.read_bytes()), samples))
    last = done.err.splitlines()[-1]
    expected = f"{size} bytes, {facts['rate_bpp']:.4f} bpp, {facts['psnr_db']:.2f} dB PSNR, "
    assert expected in last
    assert last.endswith(" s, lmbda 0.003")


def test_pipes_carry_the_same_bytes_as_files(spawn, picture, encoded, quick):
    sent = spawn("encode", "-", "-", "--quiet", *quick, stdin=picture.read_bytes())
    assert (sent.code, sent.err) == (0, "")
    assert sent.out == encoded
    received = spawn("decode", "-", "-", "--quiet", stdin=encoded)
    assert (received.code, received.err) == (0, "")
    assert (pixels(received.out) == inrcodec.read(encoded)).all()


def test_names_left_out_are_derived_from_the_input(call, picture, samples, inr, quick, monkeypatch):
    Image.fromarray(samples).save(inr.parent / "holiday.2026.tif")
    monkeypatch.chdir(inr.parent)
    assert call("encode", "holiday.2026.tif", *quick, "--quiet").code == 0
    assert call("decode", "holiday.2026.inr").code == 0
    assert call("decode", "holiday.2026.inr", "--format", "webp").code == 0
    names = {path.name for path in inr.parent.glob("holiday*")}
    assert names == {f"holiday.2026.{end}" for end in ("tif", "inr", "png", "webp")}


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ((), (24, 16)),
        (("--scale", "4"), (96, 64)),
        (("--scale", "1/2"), (12, 8)),
        (("--scale", "1.37"), (33, 22)),
        (("--size", "31x7"), (31, 7)),
        (("--region", "3,2,10,5"), (10, 5)),
        (("--region", "3.5,2,10,5", "--scale", "3"), (30, 15)),
        (("--region", "0,0,24,8", "--size", "5X9"), (5, 9)),
    ],
)
def test_size_scale_and_region_give_what_the_library_gives(call, inr, encoded, options, size):
    out = inr.with_suffix(".ppm")
    done = call("decode", inr, out, *options, "--json")
    facts = json.loads(done.out)
    assert (facts["width"], facts["height"]) == size
    words = dict(zip(options[::2], options[1::2], strict=True))
    where: dict[str, object] = {}
    if "--scale" in words:
        where["scale"] = {"1/2": 0.5}.get(words["--scale"]) or float(words["--scale"])
    if "--size" in words:
        where["size"] = size[::-1]
    if "--region" in words:
        where["region"] = tuple(float(part) for part in words["--region"].split(","))
    assert (pixels(out.read_bytes()) == inrcodec.read(encoded, **where)).all()


def test_bit_depth_16_spreads_the_samples_and_8_leaves_them(call, inr, encoded):
    native = inrcodec.read(encoded)
    for depth, factor, name in ((16, 257, "a.pam"), (8, 1, "b.pam")):
        out = inr.parent / name
        assert call("decode", inr, out, "--bit-depth", depth).code == 0
        body = out.read_bytes()[-native.size * (depth // 8) :]
        found = np.frombuffer(body, ">u2" if depth == 16 else np.uint8).reshape(native.shape)
        # Another depth may be rounded from the field itself rather than from 8-bit samples.
        assert np.abs(found.astype(int) - native.astype(int) * factor).max() <= factor // 2


def test_fast_is_off_by_one_level_at_most(call, inr, encoded):
    out = inr.with_suffix(".png")
    assert call("decode", inr, out, "--fast", "--scale", "3").code == 0
    exact = inrcodec.read(encoded, scale=3).astype(int)
    assert np.abs(pixels(out.read_bytes()) - exact).max() <= 1


def test_every_output_format_opens_in_pillow(call, inr):
    for extension in ("png", "tif", "TIFF", "ppm", "pam", "webp", "avif", "jpg", "bmp"):
        out = inr.parent / f"out.{extension}"
        assert call("decode", inr, out, "--quiet").code == 0
        if extension != "pam":
            assert Image.open(out).size == (24, 16)


def test_the_output_may_stand_behind_the_options(call, inr):
    out = inr.with_suffix(".png")
    assert call("decode", inr, "--scale", "2", "-f", out, "--json").code == 0
    assert Image.open(out).size == (48, 32)


def test_a_device_takes_any_format(call, inr):
    assert call("decode", inr, "/dev/null").code == 0
    assert call("decode", inr, "/dev/null", "--format", ".webp").code == 0


def test_quality_is_another_scale_for_lambda(call, picture, tmp_path, quick):
    for dial in (("-q", "50"), ("--lmbda", "1e-3"), ()):
        done = call("encode", picture, tmp_path / "a.inr", *quick, *dial, "-f", "--json")
        assert json.loads(done.out)["lmbda"] == pytest.approx(1e-3)


def test_metadata_is_kept_and_strip_drops_it(call, samples, tmp_path, quick):
    exif = Image.Exif()
    exif[0x010E] = "a cup"
    Image.fromarray(samples).save(tmp_path / "in.png", exif=exif)
    for name, options, expected in (("kept", (), "a cup"), ("bare", ("--strip",), None)):
        call("encode", tmp_path / "in.png", tmp_path / f"{name}.inr", *quick, *options)
        call("decode", tmp_path / f"{name}.inr", tmp_path / f"{name}.png")
        assert Image.open(tmp_path / f"{name}.png").getexif().get(0x010E) == expected
    done = call("decode", tmp_path / "kept.inr", tmp_path / "kept.ppm", "--json")
    assert "inrcodec: warning: PNM cannot hold the exif of this picture\n" in done.err
    assert call("decode", tmp_path / "kept.inr", "-", "--format", "ppm", "--quiet").err == ""


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(
    call, picture, encoded, tmp_path: Path, quick
):
    for seed, same in ((0, True), (1, False)):
        out = tmp_path / f"{seed}.inr"
        call("encode", picture, out, *quick, "--seed", seed)
        assert (out.read_bytes() == encoded) is same
