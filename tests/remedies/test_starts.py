"""Remedies that choose where a fit begins, and what it sees, keep to their formulas."""

from __future__ import annotations

import csv
import logging
import math
from pathlib import Path

import numpy as np
import pytest

from inrcodec import codec
from inrcodec.bitstream.limits import Limits
from inrcodec.fields.sympower import SympowerField, curve
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import start_of
from inrcodec.fit.targets import samples_of
from inrcodec.inr_file import InrFile
from inrcodec.kernels.arithmetic import NUMPY
from inrcodec.kernels.network import split
from inrcodec.remedies import fresh, sec
from inrcodec.remedies.auto import centroid_of
from inrcodec.remedies.decay import Decay
from inrcodec.remedies.evos import Evolutionary, crossed, laplacian_errors, shift_of
from inrcodec.remedies.fresh import FrequencyShift, rendered, spectral_shares, wasserstein
from inrcodec.remedies.sec import CentroidConfiguration, Row, centroid_per_sample, chosen, table
from inrcodec.remedies.sympower import SymmetricPower, chosen_curve, exponent_of
from inrcodec.remedies.tuner import Tuner
from inrcodec.remedies.winner import Winner, strengths
from inrcodec.remedies.ws import WeightScaling
from inrcodec.signal import Signal, audio_signal, image_signal
from inrcodec.signal.spectrum import colours_of


def started(field: str, signal: Signal, **network: float):
    return start_of(signal, EncodeOptions(field=field, network={"hidden_features": 8} | network))


def test_winner_s_strengths_are_those_of_the_authors_formula() -> None:
    # Half of the amplitude at a quarter of the sample rate, half at an eighth: c = 3/16 cycles.
    n = np.arange(800)
    sound = np.cos(2 * np.pi * n / 4) + np.cos(2 * np.pi * n / 8)
    samples = np.rint(sound * 16000).astype(np.int16)[:, None]
    s0, s1 = strengths(audio_signal(samples, 8000))
    psi = 2 * 3 / 16
    assert s0 == pytest.approx(3500 * (1 - math.exp(-7 * psi)), rel=1e-3)
    assert s1 == pytest.approx(3 * psi, rel=1e-3)


def test_winner_adds_normal_noise_to_two_matrices_and_nothing_else(picture: Signal) -> None:
    start = started("siren", picture, hidden_features=200, hidden_layers=2, first_omega_0=30)
    begun = Winner(s0=4.0, s1=0.5).begin(start, picture, np.random.default_rng(0))
    for name, strength in (("weight0", 4.0), ("weight1", 0.5)):
        noise = begun.theta[name] - start.theta[name]
        assert noise.std() == pytest.approx(strength, rel=0.15)
        assert abs(noise.mean()) < 0.15 * strength
    for name in set(start.theta) - {"weight0", "weight1"}:
        np.testing.assert_array_equal(begun.theta[name], start.theta[name])


@pytest.mark.parametrize("lmbda", [1e-5, 1e-1])
def test_winner_s_first_layer_of_sound_keeps_its_bits_in_the_file(lmbda: float) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, (600, 1)).astype(np.int16)
    network = {"hidden_features": 8, "hidden_layers": 1}
    options = EncodeOptions(
        lmbda=lmbda, effort=1, field="siren", network=network, remedies=("winner",)
    )
    data = codec.encode(audio_signal(noise, 8000), options).data
    field = InrFile.parse(data, Limits()).field(Limits())
    assert np.abs(field.theta_hat["weight0"]).max() >= 2**19


def test_ws_scales_all_matrices_but_the_last(picture: Signal) -> None:
    start = started("siren", picture, hidden_layers=1)
    begun = WeightScaling(alpha=2.0).begin(start, picture, np.random.default_rng(0))
    for name, values in start.theta.items():
        factor = 2.0 if name in ("weight0", "weight1") else 1.0
        np.testing.assert_array_equal(begun.theta[name], factor * values)


def test_tuner_s_bounds_hold_after_every_step(picture: Signal) -> None:
    seen = []

    class Watch:
        def steps(self, steps: int) -> range:
            return range(1, steps + 1)

        def see(self, step: int, fitting, theta: np.ndarray) -> None:
            named = split(theta, fitting.problem.layout)
            seen.append(np.abs(named["weight0"]).max(axis=0) - limits(named["lattice"]))

    limits = Tuner(low=0.5, high=0.2).limits
    network = {"hidden_features": 8, "hidden_layers": 1, "tuner.low": 0.5, "tuner.high": 0.2}
    options = EncodeOptions(
        field="siren", effort=1, remedies=("tuner",), network=network, observer=Watch()
    )
    codec.encode(picture, options)
    assert len(seen) > 50
    assert max(excess.max() for excess in seen) <= 1e-12


def test_tuner_s_bounds_follow_k_itself() -> None:
    frequencies = np.array([[1, 0], [10, -10], [11, 0], [0, -40]])
    assert Tuner(low=1.0, high=0.6).limits(frequencies).tolist() == [1.0, 1.0, 0.6, 0.6]


def test_decay_falls_exponentially_to_its_last_share() -> None:
    assert [Decay(0.01).rate_share(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([1, 0.1, 0.01])


def test_evos_without_crossover_keeps_the_worst_and_draws_others(case) -> None:
    made = case(steps=100)
    sampler = Evolutionary(share=0.5, mutation=0.25, laplacian=0).sampler(made.fitting)
    (columns,) = sampler(0, made.theta)
    (values,) = made.engine.values(made.theta)
    errors = np.square(values - made.problem.samples[0].target).sum(axis=0)
    kept = round(0.5 * 0.75 * len(errors))
    worst = set(np.argsort(-errors, kind="stable")[:kept].tolist())
    assert worst <= set(columns.tolist())
    assert len(set(columns)) == len(columns) == kept + round(0.5 * 0.25 * len(errors))
    (again,) = sampler(1, made.theta)
    assert worst <= set(again.tolist())
    assert not np.array_equal(np.sort(again), np.sort(columns))


def test_the_crossover_of_evos_takes_what_both_errors_want_then_shares_by_their_means() -> None:
    low = np.array([9.0, 8, 7, 6, 1, 1, 1, 3])  # mean 4.5: wants 0 1 2 3
    high = np.array([9.0, 0, 0, 0, 8, 7, 6, 6])  # mean 4.5: wants 0 4 5 and the first of 6, 7
    assert crossed(low, high, 4).tolist() == [0, 1, 2, 4, 3, 7, 5, 6]
    # Half of the errors of the Laplacian: two of the three places left are for the others.
    assert crossed(low, high / 2, 4)[:4].tolist() == [0, 1, 2, 4]
    assert crossed(low, 0 * high, 4).tolist() == np.argsort(-low, kind="stable").tolist()


def test_evos_crosses_squared_errors_with_those_of_the_laplacian(case) -> None:
    made = case(steps=100)
    (columns,) = Evolutionary(mutation=0).sampler(made.fitting)(0, made.theta)
    (values,), (part,) = made.engine.values(made.theta), made.problem.samples
    grey = np.tensordot((0.2989, 0.587, 0.114), np.clip(values, -1, 1) - part.target, 1)
    outer = np.pad(127.5 * grey.reshape(24, 32), 1)
    around = outer[:-2, 1:-1] + outer[2:, 1:-1] + outer[1:-1, :-2] + outer[1:-1, 2:]
    high = 1e-5 * np.square(around - 4 * outer[1:-1, 1:-1]).ravel()
    low = np.square(values - part.target).mean(axis=0)
    expected = crossed(low, high, 384)[:384]
    assert np.sort(expected).tolist() == columns.tolist()
    assert set(columns) != set(np.argsort(-low, kind="stable")[:384])


def test_evos_adds_the_error_of_the_laplacian_to_the_loss_of_the_first_steps(case) -> None:
    made = case(steps=10)
    remedy = Evolutionary(laplacian=1e-3, supervised=0.1)  # of one step
    (part,) = made.problem.samples
    every = [np.arange(part.target.shape[1])]

    def loss(theta: np.ndarray) -> float:
        (values,) = made.engine.values(theta)
        squares = np.square(values - part.target).mean()
        return float(squares + 1e-3 * np.square(laplacian_errors(part, values)).mean())

    trained = remedy.trained(made.plain, made.fitting)
    error, slope = trained.loss(made.theta, every, None)
    plain_error, plain_slope = made.plain.loss(made.theta, every, None)
    assert error == pytest.approx(plain_error, rel=1e-5)
    rng = np.random.default_rng(0)
    for _ in range(3):
        way = rng.standard_normal(len(made.theta)) * np.sqrt(made.speeds)
        ahead, behind = (loss(made.theta + sign * 1e-3 * way) for sign in (1, -1))
        assert slope @ way == pytest.approx((ahead - behind) / 2e-3, rel=2e-2, abs=1e-3)
    np.testing.assert_array_equal(trained.loss(made.theta, every, None)[1], plain_slope)


def test_evos_supervises_the_samples_of_the_step_alone(case) -> None:
    (part,) = case().problem.samples
    values = part.target + np.float32(0.01) * np.random.default_rng(0).standard_normal(
        part.target.shape
    ).astype(np.float32)
    columns = np.array([5 * 32 + 7])  # one sample, whose Laplacian has itself and four neighbours
    shift = shift_of(part, 0.5 * values, columns)
    assert set(np.flatnonzero(shift[0])) == {5 * 32 + 7 + k for k in (0, 1, -1, 32, -32)}
    np.testing.assert_allclose(0.2989 * shift[1], 0.587 * shift[0])


def test_evos_draws_no_more_than_a_batch_from_both_halves(case) -> None:
    made = case(steps=100, batch=100)
    (columns,) = Evolutionary().sampler(made.fitting)(0, made.theta)
    assert 95 <= len(set(columns)) == len(columns) <= 105


def test_fresh_finds_the_omega_0_that_a_picture_was_rendered_with(picture: Signal) -> None:
    def starts(network, seed):
        return start_of(picture, EncodeOptions(field="siren", network=network, seed=seed))

    given = {"hidden_features": 16, "hidden_layers": 1}
    for omega in (20.0, 120.0):
        values = rendered(starts(given | {"first_omega_0": omega}, 77), 128, 128)
        values = (values - values.min()) / np.ptp(values)
        shown = image_signal((255 * values).astype(np.uint8))
        found = FrequencyShift(draws=3).options(shown, starts, given)["first_omega_0"]
        assert omega / 2 <= found <= omega * 1.7


def test_fresh_leaves_alone_what_was_given(picture: Signal) -> None:
    def starts(network, seed):
        return start_of(picture, EncodeOptions(field="siren", network=network, seed=seed))

    assert FrequencyShift().options(picture, starts, {"first_omega_0": 7.0}) == {}


def test_fresh_chooses_nothing_for_a_picture_without_a_spectrum() -> None:
    grey = image_signal(np.full((20, 30), 9, np.uint8))

    def starts(network, seed):
        return start_of(grey, EncodeOptions(field="siren", network=network, seed=seed))

    assert FrequencyShift(draws=1).options(grey, starts, {}) == {}


@pytest.mark.parametrize(("field", "lowest"), [("siren", 64), ("finer", 128), ("ffn", 128)])
def test_fresh_counts_as_many_frequencies_as_the_source(
    field: str, lowest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = image_signal(np.random.default_rng(0).integers(0, 256, (300, 80), np.uint8))
    seen = set()

    def distance(first: np.ndarray, second: np.ndarray) -> float:
        seen.update((len(first), len(second)))
        assert first.sum() == pytest.approx(1)
        assert second.sum() == pytest.approx(1)
        return 0.0

    def starts(network, seed):
        options = EncodeOptions(field=field, network={"hidden_features": 4} | network, seed=seed)
        return start_of(noise, options)

    monkeypatch.setattr(fresh, "wasserstein", distance)
    FrequencyShift(draws=1).options(noise, starts, {})
    assert seen == {lowest}


def test_fresh_compares_small_pictures_with_networks_of_their_size() -> None:
    # Its spectrum ends at 12 + 16; a network that has it exactly is at no distance.
    small = image_signal(np.random.default_rng(0).integers(0, 256, (24, 32), np.uint8))
    start = started("siren", small, hidden_layers=1)
    shown = rendered(start, 24, 32)
    assert shown.shape == (24, 32, 1)
    assert len(spectral_shares(shown, 64)) == len(spectral_shares(colours_of(small), 64)) == 28


def test_alpha_changes_no_choice(picture: Signal) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 1), np.uint8)
    masked = image_signal(np.concatenate([picture.samples, noise], axis=2))
    assert strengths(masked) == strengths(picture)
    assert centroid_of(masked) == centroid_of(picture)

    def options(remedy, signal: Signal) -> dict[str, float]:
        def starts(network, seed):
            own = {"hidden_features": 8, "hidden_layers": 1} | network
            return start_of(signal, EncodeOptions(field="siren", network=own, seed=seed))

        return remedy.options(signal, starts, {})

    assert options(FrequencyShift(draws=4), masked) == options(FrequencyShift(draws=4), picture)
    assert options(CentroidConfiguration(), masked) == options(CentroidConfiguration(), picture)


def test_winner_hears_the_mean_of_the_channels(picture: Signal) -> None:
    both = np.random.default_rng(0).integers(-9000, 9000, (500, 2)) * 2
    stereo, mono = (
        audio_signal(samples.astype(np.int16), 8000)
        for samples in (both, both.mean(axis=1, keepdims=True))
    )
    assert strengths(stereo) == pytest.approx(strengths(mono))


def test_wasserstein_counts_mass_times_way() -> None:
    assert wasserstein(np.array([1.0, 0, 0]), np.array([0, 0, 1.0])) == 2


def test_sec_takes_what_is_best_for_the_nearest_pictures() -> None:
    rows = [
        Row("a", 10.0, 30.0, 1.0), Row("a", 10.0, 60.0, 1.5),
        Row("b", 12.0, 30.0, 1.2), Row("b", 12.0, 60.0, 1.0),
        Row("c", 80.0, 30.0, 2.0), Row("c", 80.0, 60.0, 1.0),
    ]  # fmt: skip
    assert chosen(9.0, rows, 1) == 30.0
    assert chosen(9.0, rows, 2) == 30.0
    assert chosen(70.0, rows, 1) == 60.0


def sec_of(picture: Signal, field: str = "siren") -> dict[str, float]:
    def starts(network, seed):
        own = {"hidden_features": 8, "hidden_layers": 1} | network
        return start_of(picture, EncodeOptions(field=field, network=own, seed=seed))

    return CentroidConfiguration().options(picture, starts, {})


def test_sec_chooses_only_between_the_centroids_it_knows(
    picture: Signal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "inrcodec")
    assert set(sec_of(picture)) == {"first_omega_0"}
    assert not caplog.messages
    noise = image_signal(np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8))
    assert sec_of(noise) == {}
    assert "remedy sec: omega_0 as without it; the centroid is" in caplog.text
    assert sec_of(image_signal(np.full((20, 30), 9, np.uint8))) == {}


def test_what_sec_says_of_itself_was_measured() -> None:
    path = Path(__file__).parents[2] / "results" / "remedies" / "frequency_choice.tsv"
    with path.open() as stream:
        mean = list(csv.DictReader(stream, delimiter="\t"))[-1]
    assert mean["image"] == "mean"
    more = float(mean["sec_conf_cost"]) / float(mean["siren_cost"]) - 1
    assert f"{100 * more:.1f}% costlier than always 30" in CentroidConfiguration.__doc__


def test_the_table_of_sec_is_whole() -> None:
    omegas = {row.choice for row in table()}
    images = {row.image for row in table()}
    assert len(table()) == len(omegas) * len(images) >= 30
    assert all(row.cost >= 1 for row in table())


@pytest.mark.parametrize("level", [0, 1])
def test_sec_chooses_the_levels_of_grid_by_the_nearest_centroids(
    level: int, picture: Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = centroid_per_sample(picture)
    rows = tuple(
        Row(name, factor * own, choice, 1.0 if choice == best else 1.5)
        for name, factor, best in (("a", 0.9, level), ("b", 1.2, level), ("c", 9.0, 1 - level))
        for choice in (0, 1)
    )
    monkeypatch.setattr(sec, "levels_table", lambda: {1e-3: rows, 9e-3: rows[::-1]})
    remedy = CentroidConfiguration(nearest=2)
    assert remedy.grid_options(picture, 2e-3) == {"first_level": level}
    assert remedy.grid_options(picture, 1e-4) == {}  # no such lambda
    assert remedy.grid_options(image_signal(np.full((9, 9), 3, np.uint8)), 2e-3) == {}

    def first_level(**network: int) -> int:
        network = {"sec.nearest": 2, **network}
        options = EncodeOptions(lmbda=1e-3, effort=1, remedies=("sec",), network=network)
        data = codec.encode(picture, options).data
        return InrFile.parse(data, Limits()).field(Limits()).config.first_level

    assert first_level() == level
    assert first_level(first_level=1 - level) == 1 - level


def test_what_the_levels_of_sec_cost_is_that_of_tables_without_the_picture() -> None:
    path = Path(__file__).parents[2] / "results" / "remedies" / "first_level.tsv"
    with path.open() as stream:
        said = {float(r["lmbda"]): r for r in csv.DictReader(stream, delimiter="\t")}
    assert set(said) == set(sec.levels_table())
    for lmbda, rows in sec.levels_table().items():
        logs = []
        for image, centroid in {row.image: row.sec for row in rows}.items():
            own = {row.choice: row.cost for row in rows if row.image == image}
            others = [row for row in rows if row.image != image]
            logs.append(math.log(own[chosen(centroid, others, 3)] / own[0]))
        assert len(logs) == int(said[lmbda]["pictures"])
        assert 100 * np.mean(logs) == pytest.approx(float(said[lmbda]["sec_conf"]), abs=0.02)


def test_the_power_curve_and_its_way_back_are_inverse() -> None:
    dark = image_signal((255 * np.linspace(0, 1, 400).reshape(20, 20, 1) ** 3).astype(np.uint8))
    start = SymmetricPower().begin(started("siren", dark), dark, np.random.default_rng(0))
    assert start.family is SympowerField
    (part,) = start.targets(samples_of(dark)[0])
    back = curve(NUMPY, start.theta["curve"], part.target.astype(np.float64))
    np.testing.assert_allclose(back, samples_of(dark)[0][0].target, atol=2e-3)


def test_the_power_curve_is_that_of_the_authors_formula() -> None:
    # Medians 1/8 and 7/8 of the range ask for 1/3 and its mirror; cubes pile up at the ends.
    line = (np.arange(4096) + 0.5) / 4096
    for shares, mirrored in ((line**3, False), (1 - line**3, True)):
        values = np.concatenate([[0.0], shares, [1.0]])[:, None] * 2 - 1
        low, high, exponent = chosen_curve(values)
        ends = [float(np.mean(shares < 2 / 256)), float(np.mean(shares >= 254 / 256))]
        assert (low, high) == pytest.approx((-1 - 2 * ends[0], 1 + 2 * ends[1]), abs=2e-3)
        half = math.log(0.5) / math.log(7 / 8 if mirrored else 1 / 8)
        bent = np.concatenate([[0.0], shares, [1.0]]) ** half
        whole = np.concatenate([[0.0], shares, [1.0]])
        if mirrored:
            moved = np.mean(bent < 12 / 256) - np.mean(whole < 12 / 256)
            expected = 1 + (half - 1) * (1 - min(max(moved / 0.05, 0), 1))
        else:
            moved = np.mean(bent >= 244 / 256) - np.mean(whole >= 244 / 256)
            expected = 1 / (1 + (1 / half - 1) * (1 - min(max(moved / 0.05, 0), 1)))
        assert exponent == pytest.approx(1 / min(max(expected, 0.2), 5), rel=0.03)


def test_the_exponent_shrinks_as_far_as_it_would_push_values_into_an_end() -> None:
    # Median 1/2: as it is. Median 3/4 without values near 0: nothing is pushed, nothing shrinks.
    even = np.linspace(0, 1, 4097)
    assert exponent_of(even) == pytest.approx(1.0, abs=0.01)
    dense = np.concatenate([[0.0], np.linspace(0.7, 0.8, 4096), [1.0]])
    assert exponent_of(dense) == pytest.approx(math.log(0.5) / math.log(0.75), rel=0.02)
    # Median 3/4, and 2.4% of all values in a clump that the power of 2.41 brings from above 12/256
    # to below: half of 5%, so that half of 1.41 is left.
    clump = np.full(100, 0.1)
    pushed = np.concatenate([[0.0], clump, np.linspace(0.7, 0.8, 3997), [1.0]])
    half = math.log(0.5) / math.log(np.searchsorted(np.cumsum(np.histogram(pushed, 256, (0, 1))[0]),
                                                    len(pushed) / 2) / 256)  # fmt: skip
    expected = 1 + (half - 1) * (1 - 100 / len(pushed) / 0.05)
    assert exponent_of(pushed) == pytest.approx(expected, rel=1e-6)
    assert chosen_curve(np.full((9, 1), 0.25))[2] == 1.0
