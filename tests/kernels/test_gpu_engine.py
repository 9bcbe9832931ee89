"""The GPU engine computes what the reference computes.

Where there is a CUDA device its kernels run there; elsewhere Triton interprets them, on shapes that
are small because that is slow.
"""

from __future__ import annotations

import inspect
import math
import os
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

ON_GPU = torch.cuda.is_available()
DEVICE = "cuda" if ON_GPU else "cpu"
if not ON_GPU:
    # Read when the kernels are imported.
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip(
    "triton", reason="there is no triton; `pip install triton`, which needs no GPU, to test it"
)

from grid_problems import assert_agreement, grid_problem, random_vectors, start_of  # noqa: E402

from inrcodec.errors import BadInput  # noqa: E402
from inrcodec.fit.grid import GridFit, Schedule  # noqa: E402
from inrcodec.fit.latent_search import LatentSearch  # noqa: E402
from inrcodec.fit.training import HostTraining  # noqa: E402
from inrcodec.kernels import AdamState, GridProblem, Optimisation, Step  # noqa: E402
from inrcodec.kernels.gpu import engine as gpu_engine  # noqa: E402
from inrcodec.kernels.gpu import soap, training, update  # noqa: E402
from inrcodec.kernels.gpu.engine import GpuEngine  # noqa: E402
from inrcodec.kernels.reference import ReferenceEngine  # noqa: E402
from inrcodec.progress import Reporter  # noqa: E402
from inrcodec.remedies.soap import Soap  # noqa: E402

needs_gpu = pytest.mark.skipif(not ON_GPU, reason="needs a CUDA device, torch finds none")


def problem(height: int, width: int, **options: int) -> GridProblem:
    """One of small networks, which the interpreter takes less long for."""
    small = {"levels": 3, "spatial": 5, "coarse": 3, "arm": 6, "synthesis": 6, "taps": 1}
    return grid_problem(height, width, **small | options)


SMALL = [
    (1, 1, {"taps": 0, "channels": 1, "levels": 1}),
    (1, 7, {"taps": 2}),
    (7, 1, {"channels": 4}),
    (5, 3, {"first_level": 2}),
    (9, 14, {"spatial": 22, "coarse": 9, "channels": 1, "taps": 2}),
    (10, 13, {"arm": 17, "synthesis": 20, "channels": 2, "levels": 4}),
    (8, 9, {"spatial": 0, "coarse": 0}),
    (13, 11, {"spatial": 0, "coarse": 9, "taps": 0, "first_level": 1}),
]
LARGE = [
    (37, 53, {"levels": 7, "spatial": 12, "coarse": 5, "arm": 16, "synthesis": 16, "taps": 2}),
    (65, 1100, {"levels": 3}),
    (256, 384, {"levels": 7, "spatial": 20, "coarse": 9, "arm": 24, "synthesis": 32, "taps": 2}),
]


@pytest.mark.parametrize(("height", "width", "options"), SMALL)
def test_loss_and_gradients_agree_with_the_reference(
    height: int, width: int, options: dict[str, int]
) -> None:
    p = problem(height, width, **options)
    assert_agreement(GpuEngine(p, DEVICE), *random_vectors(p))


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize(("height", "width", "options"), LARGE)
def test_loss_and_gradients_agree_on_many_programs(
    height: int, width: int, options: dict[str, int]
) -> None:
    p = problem(height, width, **options)
    assert_agreement(GpuEngine(p, DEVICE), *random_vectors(p))


def test_agreement_holds_in_the_tails_and_where_the_log_scale_is_clipped() -> None:
    p = problem(6, 7)
    latents, theta = random_vectors(p)
    engine = GpuEngine(p, DEVICE)
    assert_agreement(engine, latents * 150, theta * np.float32(0.1))
    for log_scale in (9.0, -7.0):
        theta[start_of(p, "arm.b3") + 1] = log_scale
        assert_agreement(engine, latents, theta)


def test_atomics_give_the_same_gradients_where_memory_is_short() -> None:
    p = problem(9, 10, taps=0)
    engine = GpuEngine(p, DEVICE)
    engine.launches.give_up_rows()
    for seed in range(2):  # the sums begin anew at every step
        assert_agreement(engine, *random_vectors(p, seed))


def test_where_a_training_does_not_fit_the_rows_are_given_up_and_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p = problem(4, 5, taps=0)
    engine = GpuEngine(p, DEVICE)
    made = []

    def short(*arguments: object) -> str:
        made.append(engine.launches.atomic)
        if not engine.launches.atomic:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return "a training"

    monkeypatch.setattr(gpu_engine, "GpuTraining", short)
    settings = Optimisation(1e-3, 0.5, 0.1, p.layout)
    assert engine.training(random_vectors(p)[1], settings) == "a training"
    assert made == [False, True]
    assert_agreement(engine, *random_vectors(p))


def test_a_diverged_fit_is_noticed_and_forgotten() -> None:
    p = problem(6, 7)
    engine = GpuEngine(p, DEVICE)
    latents, theta = map(engine.vector, random_vectors(p))
    before = engine.loss(latents, theta, 1e-3)
    wild = engine.loss(latents, theta * float("nan"), 1e-3)
    assert not math.isfinite(wild.mse + wild.bits)
    after = engine.loss(latents, theta, 1e-3)
    assert (after.mse, after.bits) == (before.mse, before.bits)
    assert torch.equal(after.grad_latents, before.grad_latents)
    assert torch.equal(after.grad_theta, before.grad_theta)


@pytest.mark.parametrize("name", ["arm.w1", "arm.b2", "arm.b3", "syn.w1", "syn.tapbias0"])
def test_one_parameter_that_is_no_number_is_noticed(name: str) -> None:
    """Also behind a ReLU or a clip, which on a GPU may make a number of it."""
    p = problem(5, 6, taps=2)
    latents, theta = random_vectors(p)
    theta[start_of(p, name)] = np.nan
    engine = GpuEngine(p, DEVICE)
    for loss in (
        engine.loss(engine.vector(latents), engine.vector(theta), 1e-3),
        engine.evaluate(engine.vector(np.round(latents)), engine.vector(theta)),
    ):
        assert not math.isfinite(loss.bits if name.startswith("arm") else loss.mse)


def test_loss_leaves_its_arguments_alone_and_vectors_are_copies() -> None:
    p = problem(5, 6, taps=0)
    latents, theta = random_vectors(p)
    engine = GpuEngine(p, DEVICE)
    y, t = engine.vector(latents), engine.vector(theta)
    engine.loss(y, t, 1e-3)
    engine.evaluate(y, t)
    engine.perturb(y, 0.3, 0.2, 1)
    assert np.array_equal(engine.array(y), latents)
    assert np.array_equal(engine.array(t), theta)
    y += 1
    assert np.array_equal(engine.array(y), latents + 1)


@pytest.mark.parametrize("temperature", [0.05, 0.3, 10.0])
def test_perturb_without_noise_agrees_with_the_reference(temperature: float) -> None:
    p = problem(30, 40)
    latents, _ = random_vectors(p)
    latents[:7] = (0.0, 0.5, -0.5, 1.5, 1e-7, -3.0, 2.4999998)
    reference, engine = ReferenceEngine(p), GpuEngine(p, DEVICE)
    theirs = reference.perturb(reference.vector(latents), temperature, 0.0, 1)
    ours = [engine.array(v) for v in engine.perturb(engine.vector(latents), temperature, 0.0, 1)]
    smooth = np.abs(latents - np.round(latents)) < 0.499  # at 1/2 rounding decides the side
    assert np.allclose(ours[0][smooth], theirs[0].numpy()[smooth], atol=2e-5)
    assert np.allclose(ours[1][smooth], theirs[1].numpy()[smooth], rtol=1e-3, atol=2e-5)


def test_noise_is_normal_and_its_own_for_every_element_and_seed() -> None:
    p = problem(160, 160)
    engine = GpuEngine(p, DEVICE)
    flat = engine.vector(np.full(p.latent_count, 0.5))
    temperature = 1000.0  # soft rounding is then the identity

    def noise(seed: int) -> np.ndarray:
        z = engine.perturb(flat, temperature, 0.1, seed)[0]
        return engine.array(z).astype(np.float64) * 10 - 5

    first, second = noise(1), noise(2_000_006_000_001)
    for values in (first, second):
        assert abs(values.mean()) < 0.03
        assert abs(values.std() - 1) < 0.03
        assert abs((values**4).mean() - 3) < 0.3
        quantiles = np.quantile(values, [0.0228, 0.1587, 0.5, 0.8413, 0.9772])
        assert np.allclose(quantiles, [-2, -1, 0, 1, 2], atol=0.07)
        assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.03
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert np.array_equal(noise(1), first)


def test_adam_agrees_with_the_reference_over_many_steps() -> None:
    p = problem(20, 25)
    reference, engine = ReferenceEngine(p), GpuEngine(p, DEVICE)
    start, _ = random_vectors(p)
    rng = np.random.default_rng(3)
    theirs = AdamState(*(reference.vector(v) for v in (start, 0 * start, 0 * start)))
    ours = AdamState(*(engine.vector(v) for v in (start, 0 * start, 0 * start)))
    for step in range(1, 11):
        gradient = rng.normal(size=start.size).astype(np.float32) * 1e-4
        reference.adam(theirs, reference.vector(gradient), 0.01, step)
        engine.adam(ours, engine.vector(gradient), 0.01, step)
    assert np.allclose(engine.array(ours.values), theirs.values.numpy(), atol=2e-6)
    assert np.allclose(engine.array(ours.second), theirs.second.numpy(), rtol=1e-5)


class DeviceSoap:
    """The state that the kernel `soap` needs, outside of a training."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], theta: np.ndarray) -> None:
        self.parts = soap.Parts.of(shapes)
        self.theta = self.tensor(theta)
        tile = (len(self.parts.table), self.parts.side, self.parts.side)
        self.first, self.second = torch.zeros(2, *tile, device=DEVICE)
        self.table = torch.from_numpy(self.parts.table).to(DEVICE)
        self.counter = torch.zeros(1, dtype=torch.int32, device=DEVICE)

    @staticmethod
    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, np.float32), device=DEVICE).clone()

    def update(self, gradient: np.ndarray, rate: float, step: int) -> None:
        if step == 1:
            norm = np.linalg.norm(gradient)
            clipped = gradient * min(1.0, 0.1 / norm)
            self.moments, self.bases = map(self.tensor, self.parts.begin(clipped, 0.05))
        moments = update.moment_constants(rate, 0.95, 0.95, step)
        constants = update.constants_row(soap=moments, refresh=step % 10 == 0)
        n = len(self.theta)
        soap.soap[(len(self.table),)](
            self.theta, self.tensor(gradient), self.table, self.first, self.second, self.moments,
            self.bases, self.tensor(constants), self.counter, 0.1, 0.95, 0.95, 1e-8, PARAMETERS=n,
            ALL=1 << (n - 1).bit_length(), SIDE=self.parts.side,
        )  # fmt: skip


def test_soap_on_the_device_moves_as_on_the_host() -> None:
    """Square matrices, because the first bases of others are arbitrary where a gradient is zero."""
    shapes = {"matrix": (6, 6), "vector": (5,), "pair": (2, 2), "kernel": (3, 1, 3), "all": (300,)}
    size = sum(math.prod(shape) for shape in shapes.values())
    rng = np.random.default_rng(0)
    theta, drift = rng.normal(size=size), rng.normal(size=size)
    host, expected, device = Soap(shapes), theta.copy(), DeviceSoap(shapes, theta)
    for step in range(1, 13):
        # The second is too small to be clipped; the first only makes bases, in which it is diagonal
        # but for rounding, that Adam would take for a gradient.
        gradient = (rng.normal(size=size) + drift) * (1e-3 if step == 2 else 1)
        rate = 0.0 if step == 1 else 0.02
        norm = np.linalg.norm(gradient)
        host.update(expected, gradient * min(1.0, 0.1 / (norm + 1e-12)), rate)
        device.update(gradient, rate, step)
    assert np.abs(expected - theta).max() > 0.1
    assert np.allclose(device.theta.cpu().numpy(), expected, atol=2e-4)


def test_soap_keeps_bases_orthogonal_for_tensors_of_any_shape() -> None:
    shapes = {"wide": (2, 17), "tall": (20, 3), "taps": (3, 3, 3, 3), "dead": (4, 4)}
    size = sum(math.prod(shape) for shape in shapes.values())
    rng = np.random.default_rng(1)
    device = DeviceSoap(shapes, np.zeros(size))
    for step in range(1, 11):
        gradient = rng.normal(size=size)
        gradient[-16:] = 0
        device.update(gradient, 0.02, step)
    bases = device.bases.cpu().numpy().astype(np.float64)
    unit = np.eye(device.parts.side)
    assert np.allclose(bases @ bases.swapaxes(-1, -2), unit, atol=1e-5)
    theta = device.theta.cpu().numpy()
    assert np.isfinite(theta).all()
    assert not theta[-16:].any()
    assert theta[:-16].all()


def test_soap_has_the_constants_of_the_host() -> None:
    defaults = inspect.signature(Soap).parameters
    assert training.SOAP_BETA == defaults["beta1"].default == defaults["beta2"].default
    assert defaults["epsilon"].default == training.SOAP_EPSILON
    assert defaults["refresh_steps"].default == training.REFRESH_STEPS


def training_steps(count: int, sigma: float = 0.3) -> list[Step]:
    return [Step(0.4, sigma, 1000 + i, 0.2, 0.02) for i in range(count)]


def test_a_training_does_what_the_same_engine_does_step_by_step() -> None:
    p = problem(8, 9)
    theta = random_vectors(p)[1]
    settings = Optimisation(1e-3, 0.5, 0.1, {"all": (p.parameter_count,)})
    engine = GpuEngine(p, DEVICE)
    ours, theirs = engine.training(theta, settings), HostTraining(engine, theta, settings)
    steps = training_steps(3)
    losses, expected = list(ours.run(steps)), list(theirs.run(steps))
    assert [loss.bits for loss in losses] == pytest.approx([loss.bits for loss in expected], 1e-4)
    assert [loss.mse for loss in losses] == pytest.approx([loss.mse for loss in expected], 1e-4)
    assert len({loss.mse for loss in losses}) == len(steps)
    assert np.allclose(ours.theta, theirs.theta, atol=1e-5)


@pytest.mark.gpu
@needs_gpu
def test_replayed_steps_are_the_same_steps_and_every_loss_arrives() -> None:
    p = problem(37, 53, levels=5, taps=2)
    theta = random_vectors(p)[1]
    settings = Optimisation(1e-3, 0.5, 0.1, {"all": (p.parameter_count,)})
    engine = GpuEngine(p, DEVICE)
    ours, theirs = engine.training(theta, settings), HostTraining(engine, theta, settings)
    steps = training_steps(2 * training.GROUP_STEPS + 7)
    losses, expected = list(ours.run(steps)), list(theirs.run(steps))
    assert len(losses) == len(steps)
    for name, count, tolerance in (("bits", 20, 1e-4), ("mse", 20, 1e-4), ("bits", 107, 2e-2)):
        found = [getattr(loss, name) for loss in losses[:count]]
        assert found == pytest.approx([getattr(loss, name) for loss in expected[:count]], tolerance)


def test_the_same_seed_gives_the_same_training() -> None:
    p = problem(6, 7)
    settings = Optimisation(1e-3, 0.5, 0.1, p.layout)
    engine = GpuEngine(p, DEVICE)
    runs = []
    for _ in range(2):
        begun = engine.training(random_vectors(p)[1], settings)
        steps = training_steps(300 if ON_GPU else 2)
        losses = [(loss.mse, loss.bits) for loss in begun.run(steps)]
        runs.append((losses, engine.array(begun.latents).tolist(), begun.theta.tolist()))
    assert runs[0] == runs[1]


def test_a_training_from_nowhere_tells_of_it() -> None:
    p = problem(4, 5, taps=0)
    settings = Optimisation(1e-3, 0.5, 0.1, p.layout)
    lost = GpuEngine(p, DEVICE).training(np.full(p.parameter_count, np.nan), settings)
    (loss,) = lost.run(training_steps(1))
    assert not math.isfinite(loss.mse + loss.bits)


def test_a_fit_runs_on_the_engine_and_ends_in_integers() -> None:
    p = problem(8, 8)
    engine = GpuEngine(p, DEVICE)
    shots = []

    class Counting(Reporter):
        def step(self, rate_bpp: float, mse: float) -> None:
            shots.append(mse)

    fit = GridFit(p, engine, 1e-3, random_vectors(p)[1], 0, Schedule())
    fit.run(2, Counting())
    search = LatentSearch(engine, fit.rounded(), fit.theta, 1e-3)
    trials = 70 if ON_GPU else 20
    assert search.run(trials) == trials
    assert len(shots) == 2
    assert np.array_equal(search.latents, np.rint(search.latents))
    assert np.isfinite(fit.theta).all()


def test_a_layout_that_the_kernels_do_not_know_is_refused() -> None:
    p = problem(4, 4)
    p.layout["arm.w4"] = (1,)
    with pytest.raises(ValueError, match=r"arm\.w4"):
        GpuEngine(p, DEVICE)


def test_a_picture_beyond_32_bits_is_refused_before_any_memory_is_taken() -> None:
    p = problem(4, 4)
    huge = replace(p, target=np.broadcast_to(np.float32(0), (3, 1 << 15, 1 << 15)))
    with pytest.raises(BadInput, match="too large for engine gpu"):
        GpuEngine(huge, DEVICE)


@pytest.mark.gpu
@needs_gpu
def test_the_reference_under_a_graph_is_the_reference() -> None:
    from inrcodec.kernels.gpu.graphed import GraphedReferenceEngine

    p = problem(37, 53, levels=5, taps=2)
    latents, theta = random_vectors(p)
    plain, graphed = ReferenceEngine(p, "cuda"), GraphedReferenceEngine(p, "cuda")
    for lmbda, factor in ((1e-2, 1), (1e-2, 2), (1e-3, 1)):
        vectors = [plain.vector(v) for v in (factor * latents, theta)]
        theirs, ours = plain.loss(*vectors, lmbda), graphed.loss(*vectors, lmbda)
        assert (ours.mse, ours.bits) == pytest.approx((theirs.mse, theirs.bits), rel=1e-6)
        assert torch.allclose(ours.grad_theta, theirs.grad_theta, rtol=1e-4, atol=1e-6)
        assert torch.allclose(ours.grad_latents, theirs.grad_latents, rtol=1e-4, atol=1e-8)


@pytest.mark.gpu
@needs_gpu
def test_many_fits_at_once_give_the_files_that_each_gives_alone() -> None:
    """More than the streams that torch has of a priority, so that threads share some."""
    pytest.importorskip("constriction")
    from inrcodec import codec
    from inrcodec.batch.streams import outcomes
    from inrcodec.fit import EncodeOptions
    from inrcodec.signal import image_signal

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (40, 24, 32, 3), dtype=np.uint8)

    def encode(index: int, check: object = None) -> bytes:
        options = EncodeOptions(effort=1, device=DEVICE, engine="gpu")
        return codec.encode(image_signal(pictures[index]), options).data

    together = {i: done() for i, done in outcomes(encode, range(40), 40, DEVICE)}
    for index in (0, 1, 31, 32, 39):
        assert together[index] == encode(index)
