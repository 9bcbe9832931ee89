"""A network that is looked at while it is fitted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from inrcodec import codec  # noqa: E402
from inrcodec.errors import BadOption  # noqa: E402
from inrcodec.evaluate.spectra.record import as_json  # noqa: E402
from inrcodec.evaluate.spectra.study import Study, study_fit  # noqa: E402
from inrcodec.evaluate.spectra.training import TrainingRecord, check_network  # noqa: E402
from inrcodec.evaluate.spectra.view import View  # noqa: E402
from inrcodec.fit import EncodeOptions  # noqa: E402
from inrcodec.signal import AudioSignal, VideoSignal, image_signal  # noqa: E402

OPTIONS = EncodeOptions(
    lmbda=1e-5, effort=1, field="siren", engine="reference", device="cpu",
    network={"hidden_features": 12, "hidden_layers": 2},
)  # fmt: skip


def picture() -> View:
    y, x = np.mgrid[0:24, 0:24] / 24
    waves = 128 + 60 * np.sin(9 * x) * np.cos(6 * y) + 40 * (x > y)
    return View.of(image_signal(np.stack([waves, 255 - waves, 30 + 0 * x], -1).astype(np.uint8)))


@pytest.fixture(scope="module")
def study() -> Study:
    return study_fit(picture(), OPTIONS)


def test_moments_reach_from_the_beginning_to_the_end_in_even_ratios():
    record = TrainingRecord(picture())
    assert record.steps(112) == {0, 1, 2, 3, 4, 7, 11, 17, 27, 44, 70, 112}
    assert record.steps(1) == {0, 1}
    assert len(record.steps(16_000)) == 12


def test_a_fit_comes_closer_to_its_target(study):
    moments = study.training.moments
    assert [m.step for m in moments] == sorted(TrainingRecord(picture()).steps(112))
    assert moments[-1].quality_db > moments[0].quality_db + 6
    assert abs(moments[-1].sec - study.original_facts.sec) < 0.5
    for moment in moments:
        assert moment.error.power.sum() == pytest.approx(10 ** (-moment.quality_db / 10))


def test_the_first_and_the_last_network_are_looked_into(study):
    begin, end = study.training.inspections
    assert (begin.step, end.step) == (0, 112)
    for each in (begin, end):
        assert each.tangent.residual_share.sum() == pytest.approx(1)
        assert len(each.tangent.eigenvalues) == 3 * each.tangent.samples == 3 * 144
        assert [layer.name for layer in each.layers] == ["1", "2", "3"]
        assert each.gradient.shape == (24, 24)
    # What is learned first is what the kernel's largest eigenvalues belong to.
    assert begin.tangent.residual_share[:9].sum() > 3 * end.tangent.residual_share[:9].sum()


def test_looking_changes_no_bit_of_the_file():
    signal = picture().signal
    seen = codec.encode(signal, replace(OPTIONS, observer=TrainingRecord(picture())))
    assert seen.data == codec.encode(signal, OPTIONS).data


@pytest.mark.parametrize(("field", "remedies"), [("siren", ("sympower",)), ("bacon", ())])
def test_what_is_measured_is_what_a_decoder_renders(field, remedies):
    wanted = replace(OPTIONS, field=field, remedies=remedies)
    found = study_fit(picture(), wanted)
    # The last phase goes on from the network that was seen last, and makes it cheap.
    last = found.training.moments[-1].quality_db
    assert abs(last - found.comparison.quality_db) < 3
    assert last > 20


def test_sounds_and_the_luma_of_videos_are_measured_too():
    wave = np.sin(np.arange(600) / 9) * 9000
    sound = View.of(AudioSignal(np.stack([wave, -wave], -1).astype(np.int16), 8000))
    luma = (100 + 90 * np.sin(np.arange(4 * 8 * 10) / 40)).astype(np.uint8).reshape(4, 8, 10)
    chroma = np.full((4, 4, 5), 128, np.uint8)
    video = View.of(VideoSignal((luma, chroma, chroma), rate=25))
    for view, channels in ((sound, 2), (video, 1)):
        found = study_fit(view, replace(OPTIONS, lmbda=1e-4))
        begin, end = found.training.moments[0], found.training.moments[-1]
        assert end.quality_db > begin.quality_db
        tangent = found.training.inspections[0].tangent
        assert len(tangent.eigenvalues) == channels * tangent.samples
        assert len(found.gradients()) == (0 if view is sound else 3)


def test_a_long_sound_is_fitted_as_its_first_segment():
    wave = (9000 * np.sin(np.arange(2000) / 9)).astype(np.int16)[:, None]
    sound = View.of(AudioSignal(wave, 8000))
    found = study_fit(sound, replace(OPTIONS, segment_seconds=0.1))
    assert found.original.grid == (667,)  # three segments of equal length
    assert "as a segment is fitted" in found.original.taken


def test_fields_without_a_network_of_coordinates_are_refused():
    with pytest.raises(BadOption, match=r"no coordinate network.*OUT\.inr --against"):
        check_network("grid", "image")
    with pytest.raises(BadOption, match="no field 'nothing'"):
        check_network("nothing", "image")


def test_the_record_is_json_without_maps(study):
    record = as_json(study)
    text = json.dumps(record, allow_nan=False)
    assert "gradient" not in text
    assert record["sec"] == study.original_facts.sec
    assert record["climb"][0]["psnr_db"] == study.training.moments[0].quality_db
    assert len(record["inspections"][1]["tangent"]["eigenvalues"]) == 3 * 144
    assert record["comparison"].keys() == {
        "psnr_db", "rho_ag", "rho_ag_no_dc", "error", "error_ratio",
    }  # fmt: skip
