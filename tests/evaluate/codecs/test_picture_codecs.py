"""Pictures through other codecs: every setting of every one that is installed decodes to a picture
of the same form, finer settings to a nearer one."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from inrcodec.errors import BadInput
from inrcodec.evaluate.codecs import Codec, InrCodec, Setting, known, pillow
from inrcodec.evaluate.codecs.libjxl import LibjxlTools
from inrcodec.evaluate.metrics import psnr_db
from inrcodec.signal import Signal

INSTALLED = [codec for codec in (*pillow.CODECS, pillow.JPEG_XL) if codec.probe().missing is None]


def by_name(codec: Codec) -> str:
    return codec.name


def picture(channels: int = 3, bit_depth: int = 8) -> Signal:
    y, x = np.mgrid[0:32, 0:48]
    planes = [100 + 80 * np.sin(x / 5), 90 + 2 * y + x, 128 + 60 * np.cos((x + y) / 7), 200 + x]
    samples = np.stack(planes[-channels:] if channels == 4 else planes[:channels], axis=-1)
    if bit_depth == 16:
        return Signal((samples * 257).clip(0, 65535).astype(np.uint16), 16)
    return Signal(samples.clip(0, 255).astype(np.uint8))


def test_the_codecs_of_this_pillow_can_run():
    assert {"jpeg", "jpeg2000", "webp", "avif"} <= {codec.name for codec in INSTALLED}
    for codec in INSTALLED:
        assert codec.probe().version


@pytest.mark.parametrize("codec", INSTALLED, ids=by_name)
def test_finer_settings_are_nearer_and_larger(codec):
    original = picture()
    settings = codec.settings(original)
    files = [codec.encode(original, setting) for setting in (settings[0], settings[-1])]
    quality = [
        psnr_db(original.samples, codec.decode(file, original).samples, 255) for file in files
    ]
    assert quality[0] < quality[1]
    assert len(files[0]) < len(files[1])
    assert quality[1] > 33  # chroma at half the size caps it
    assert codec.payload_bytes(files[0]) == len(files[0])


@pytest.mark.parametrize("codec", INSTALLED, ids=by_name)
@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (3, 16)])
def test_grey_and_deep_pictures_keep_their_form(codec, channels, depth):
    original = picture(channels, depth)
    decoded = codec.decode(codec.encode(original, codec.settings(original)[-1]), original)
    assert (decoded.samples.shape, decoded.bit_depth) == (original.samples.shape, depth)
    assert psnr_db(original.samples, decoded.samples, original.peak) > 33


def test_jpeg_refuses_transparency_by_name():
    with pytest.raises(BadInput, match="jpeg holds L and RGB, the picture is RGBA"):
        pillow.JPEG.encode(picture(4), pillow.JPEG.settings(picture(4))[0])


def test_jpeg_is_optimized_and_halves_chroma():
    file = pillow.JPEG.encode(picture(), pillow.JPEG.settings(picture())[5])
    with Image.open(io.BytesIO(file)) as image:
        layers = [layer[1:3] for layer in image.layer]
    assert layers == [(2, 2), (1, 1), (1, 1)]
    standard = next(codec for codec in INSTALLED if codec.name == "jpeg-standard-tables")
    assert len(file) < len(standard.encode(picture(), standard.settings(picture())[5]))


def test_jpeg_2000_transforms_colours():
    codec = next(codec for codec in INSTALLED if codec.name == "jpeg2000")
    original = Signal(np.repeat(picture(1).samples, 3, axis=2))
    setting = codec.settings(original)[6]
    plain = Setting("", "", {**setting.options, "mct": 0})
    assert len(codec.encode(original, setting)) < 0.9 * len(codec.encode(original, plain))


def test_settings_say_every_option():
    texts = {setting.text for setting in pillow.JPEG.settings(picture())}
    assert "Pillow JPEG: quality=30, optimize=True" in texts
    assert len(texts) == 19


def test_what_is_missing_says_how_to_get_it():
    absent = pillow.PillowCodec("x", ".x", "X", "", (1,), plugin=("no_such_plugin", "some-package"))
    assert "pip install some-package" in absent.probe().missing
    if not shutil.which("cjxl"):
        assert "libjxl-tools" in LibjxlTools().probe().missing


def test_our_codec_has_a_setting_for_each_lambda():
    codec = InrCodec(field="siren", effort=3, lmbdas=(1e-3, 2e-2, 1e-3), seed=7)
    settings = codec.settings(picture())
    assert codec.name == "inr-siren-e3"
    assert [(s.name, s.lmbda) for s in settings] == [("lmbda0.02", 2e-2), ("lmbda0.001", 1e-3)]
    assert settings[1].text.startswith("field siren, lmbda 0.001, effort 3, seed 7")


def test_every_kind_has_our_codec_last():
    for kind in ("image", "audio", "video"):
        assert known(kind)[-1] == "inr"


def test_every_codec_says_which_channels_it_takes_before_it_is_asked_to_code():
    taken = {
        codec.name: [c for c in (1, 2, 3, 4) if codec.refusal(picture(c)) is None]
        for codec in (*INSTALLED, InrCodec(), LibjxlTools())
    }
    every = [1, 2, 3, 4]
    assert taken.pop("jpeg") == taken.pop("jpeg-standard-tables") == [1, 3]
    assert taken == dict.fromkeys(taken, every)
    assert all(codec.refusal(picture(3, 16)) is None for codec in INSTALLED)
    for codec in INSTALLED:
        for channels in every:
            if codec.refusal(picture(channels)) is None:
                assert codec.encode(picture(channels), codec.settings(picture(channels))[0])


def test_a_picture_with_alpha_comes_back_with_it():
    original = picture(4)
    for name in ("webp", "avif", "jpeg2000"):
        codec = next(codec for codec in INSTALLED if codec.name == name)
        decoded = codec.decode(codec.encode(original, codec.settings(original)[-1]), original)
        assert decoded.samples.shape == original.samples.shape
