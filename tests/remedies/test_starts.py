"""Remedies that choose where a fit begins, and what it sees, keep to their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inrcodec import codec
from inrcodec.fields.sympower import SympowerField, curve
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import start_of
from inrcodec.fit.targets import samples_of
from inrcodec.kernels.arithmetic import NUMPY
from inrcodec.kernels.network import split
from inrcodec.remedies.decay import Decay
from inrcodec.remedies.evos import Evolutionary
from inrcodec.remedies.fresh import FrequencyShift, rendered, wasserstein
from inrcodec.remedies.sec import Row, chosen, table
from inrcodec.remedies.sympower import SymmetricPower, chosen_curve
from inrcodec.remedies.tuner import Tuner
from inrcodec.remedies.winner import Winner, strengths
from inrcodec.remedies.ws import WeightScaling
from inrcodec.signal import Signal, audio_signal, image_signal


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


def test_evos_keeps_the_worst_and_draws_others(case) -> None:
    made = case(steps=100)
    sampler = Evolutionary(share=0.5, mutation=0.25).sampler(made.fitting)
    (columns,) = sampler(0, made.theta)
    (values,) = made.engine.values(made.theta)
    errors = np.square(values - made.problem.samples[0].target).sum(axis=0)
    kept = round(0.5 * 0.75 * len(errors))
    worst = set(np.argsort(-errors, kind="stable")[:kept].tolist())
    assert worst <= set(columns.tolist())
    assert len(columns) == kept + round(0.5 * 0.25 * len(errors))
    (again,) = sampler(1, made.theta)
    assert worst <= set(again.tolist())
    assert not np.array_equal(np.sort(again), np.sort(columns))


def test_evos_draws_no_more_than_a_batch_from_both_halves(case) -> None:
    made = case(steps=100, batch=100)
    (columns,) = Evolutionary().sampler(made.fitting)(0, made.theta)
    assert 95 <= len(columns) <= 105


def test_fresh_finds_the_omega_0_that_a_picture_was_rendered_with(picture: Signal) -> None:
    def starts(network, seed):
        return start_of(picture, EncodeOptions(field="siren", network=network, seed=seed))

    given = {"hidden_features": 16, "hidden_layers": 1}
    for omega in (20.0, 120.0):
        values = rendered(starts(given | {"first_omega_0": omega}, 77))
        values = (values - values.min()) / np.ptp(values)
        shown = image_signal((255 * values).astype(np.uint8))
        found = FrequencyShift(draws=3).options(shown, starts, given)["first_omega_0"]
        assert omega / 2 <= found <= omega * 1.7


def test_fresh_leaves_alone_what_was_given(picture: Signal) -> None:
    def starts(network, seed):
        return start_of(picture, EncodeOptions(field="siren", network=network, seed=seed))

    assert FrequencyShift().options(picture, starts, {"first_omega_0": 7.0}) == {}


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


def test_the_table_of_sec_is_whole() -> None:
    omegas = {row.first_omega_0 for row in table()}
    images = {row.image for row in table()}
    assert len(table()) == len(omegas) * len(images) >= 30
    assert all(row.cost >= 1 for row in table())


def test_the_power_curve_and_its_way_back_are_inverse() -> None:
    dark = image_signal((255 * np.linspace(0, 1, 400).reshape(20, 20, 1) ** 3).astype(np.uint8))
    start = SymmetricPower().begin(started("siren", dark), dark, np.random.default_rng(0))
    assert start.family is SympowerField
    (part,) = start.targets(samples_of(dark)[0])
    back = curve(NUMPY, start.theta["curve"], part.target.astype(np.float64))
    np.testing.assert_allclose(back, samples_of(dark)[0][0].target, atol=2e-3)


def test_the_power_curve_brings_the_median_to_the_middle() -> None:
    low, high, exponent = chosen_curve(np.linspace(0, 1, 1001)[:, None] ** 3 * 2 - 1)
    assert ((0.5**exponent) * (high - low) + low) == pytest.approx(0.125 * 2 - 1, abs=0.01)
    assert chosen_curve(np.full((9, 1), 0.25))[2] == 1.0
