"""The GPU engine of coordinate networks computes what the reference computes.

Without a CUDA device the same runs of samples are computed on the CPU, where nothing is recorded.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inrcodec import codec  # noqa: E402
from inrcodec.errors import BadOption, OutOfDeviceMemory  # noqa: E402
from inrcodec.fields import family_of  # noqa: E402
from inrcodec.fields.network import flat  # noqa: E402
from inrcodec.fit import EncodeOptions  # noqa: E402
from inrcodec.fit import network as network_fit  # noqa: E402
from inrcodec.fit.network import make_problem  # noqa: E402
from inrcodec.kernels import engine as engines  # noqa: E402
from inrcodec.kernels import network as choice  # noqa: E402
from inrcodec.kernels.gpu import network, products  # noqa: E402
from inrcodec.kernels.gpu.network import TUNINGS, GpuNetworkEngine, Tuning  # noqa: E402
from inrcodec.kernels.network import NetworkProblem, make_network_engine  # noqa: E402
from inrcodec.kernels.reference_network import ReferenceNetworkEngine, jacobian  # noqa: E402
from inrcodec.signal import AnySignal, image_signal, video_signal  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
FIELDS = (
    "siren",
    "spder",
    "wire",
    "finer",
    "pe",
    "ffn",
    "tuner",
    "ngp",
    "bacon",
    "gabornet",
    "loe",
)


def picture(height: int = 40, width: int = 52) -> AnySignal:
    rng = np.random.default_rng(0)
    return image_signal(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def fitted(
    field: str = "siren", signal: AnySignal | None = None, **options: Any
) -> tuple[NetworkProblem, np.ndarray]:
    """(problem, parameters where its fit would begin)."""
    signal = signal or picture()
    module = importlib.import_module(family_of(field).part.fit_module)
    start = module.start_of(signal, EncodeOptions(field=field, network=options))
    layout, problem = make_problem(signal, start)
    return problem, flat(layout, start.theta)


def assert_same(found: tuple[float, np.ndarray], expected: tuple[float, np.ndarray]) -> None:
    assert found[0] == pytest.approx(expected[0], rel=1e-4)
    assert np.linalg.norm(found[1] - expected[1]) <= 1e-3 * np.linalg.norm(expected[1])


@pytest.mark.parametrize("field", FIELDS)
def test_loss_and_gradient_are_the_reference_s(field: str) -> None:
    problem, theta = fitted(field)
    engine, reference = GpuNetworkEngine(problem, DEVICE), ReferenceNetworkEngine(problem)
    assert_same(engine.loss(theta), reference.loss(theta))
    assert engine.error(theta) == pytest.approx(reference.error(theta), rel=1e-4)
    for ours, theirs in zip(engine.values(theta), reference.values(theta), strict=True):
        assert ours.dtype == np.float32
        assert np.abs(ours - theirs).max() <= 1e-3


def test_chosen_samples_of_several_grids_are_those_and_nothing_else() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 16, 20, 3), dtype=np.uint8)
    problem, theta = fitted("siren", video_signal(frames, 25))
    assert len(problem.samples) > 1
    engine, reference = GpuNetworkEngine(problem, DEVICE, run=64), ReferenceNetworkEngine(problem)
    rng = np.random.default_rng(1)
    counts = [part.coords.shape[1] for part in problem.samples]
    for size in (700, 64, 65, 1, 0, 700):
        chosen = [rng.integers(0, n, size + i) for i, n in enumerate(counts)]
        assert_same(engine.loss(theta, chosen), reference.loss(theta, chosen))
        expected = pytest.approx(reference.error(theta, chosen), rel=1e-4)
        assert engine.error(theta, chosen) == expected
    assert_same(engine.loss(theta), reference.loss(theta))


def test_other_targets_hold_for_one_call() -> None:
    problem, theta = fitted()
    engine, reference = GpuNetworkEngine(problem, DEVICE), ReferenceNetworkEngine(problem)
    own, error = reference.loss(theta), reference.error(theta)
    for shift in (0.5, -0.25):
        targets = [part.target + np.float32(shift) for part in problem.samples]
        assert_same(engine.loss(theta, None, targets), reference.loss(theta, None, targets))
        assert engine.error(theta) == pytest.approx(error, rel=1e-4)
        assert_same(engine.loss(theta), own)


@pytest.mark.parametrize("run", [7, 512, 4096])
def test_the_length_of_runs_changes_no_result(run: int) -> None:
    problem, theta = fitted()
    expected = GpuNetworkEngine(problem, DEVICE).loss(theta)
    assert_same(GpuNetworkEngine(problem, DEVICE, run=run).loss(theta), expected)


def test_where_memory_is_short_runs_are_halved_and_no_sample_counts_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, theta = fitted()
    expected = ReferenceNetworkEngine(problem).loss(theta)
    add, sizes = GpuNetworkEngine._add, []

    def short(
        self: GpuNetworkEngine, part: int, columns: torch.Tensor, weights: torch.Tensor
    ) -> None:
        sizes.append(len(columns))
        if len(columns) > 1100:
            raise torch.cuda.OutOfMemoryError("out of memory")
        add(self, part, columns, weights)

    monkeypatch.setattr(GpuNetworkEngine, "_add", short)
    engine = GpuNetworkEngine(problem, DEVICE)
    assert_same(engine.loss(theta), expected)
    tried = len(sizes)
    assert max(sizes) > 1100
    assert_same(engine.loss(theta), expected)
    assert max(sizes[tried:], default=0) <= 1100  # it is remembered


@pytest.mark.parametrize(
    "said",
    [
        torch.cuda.OutOfMemoryError("out of memory"),
        RuntimeError("Triton Error [CUDA]: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
    ids=["torch", "triton", "cublas"],
)
def test_a_network_that_fits_nowhere_says_so(
    said: RuntimeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise said

    problem, theta = fitted()
    monkeypatch.setattr(GpuNetworkEngine, "_add", never)
    with pytest.raises(OutOfDeviceMemory, match="too short for one of the samples"):
        GpuNetworkEngine(problem, DEVICE).loss(theta)


def test_other_errors_of_a_device_are_not_taken_for_its_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("an illegal memory access was encountered")

    problem, theta = fitted()
    monkeypatch.setattr(GpuNetworkEngine, "_add", broken)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        GpuNetworkEngine(problem, "cpu").loss(theta)


def test_where_memory_is_short_derivatives_are_taken_in_smaller_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, theta = fitted(hidden_features=8, hidden_layers=1)
    columns = np.arange(60).reshape(20, 3)
    expected = jacobian(problem, theta, 0, columns, DEVICE)
    vmap, sizes = torch.func.vmap, []

    def short(function: Any, **options: Any) -> Any:
        def mapped(flat: torch.Tensor, coords: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
            sizes.append(len(coords))
            if len(coords) > 6:
                raise torch.cuda.OutOfMemoryError("out of memory")
            return vmap(function, **options)(flat, coords, used)

        return mapped

    monkeypatch.setattr(torch.func, "vmap", short)
    found = jacobian(problem, theta, 0, columns, DEVICE)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5 * np.abs(expected).max())
    assert sizes == [20, 10, 5, 5, 5, 5]


def test_columns_that_do_not_exist_are_refused() -> None:
    problem, theta = fitted()
    for wrong in (-1, 40 * 52):
        with pytest.raises(IndexError, match="of 2080 samples"):
            GpuNetworkEngine(problem, DEVICE).loss(theta, [np.array([0, wrong])])


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_products_of_wide_layers_are_rounded_and_little_is_lost(precision: str) -> None:
    problem, theta = fitted(hidden_features=256, hidden_layers=2)
    tuning = Tuning(precision)
    loss, gradient = GpuNetworkEngine(problem, DEVICE, tuning).loss(theta)
    expected, slope = ReferenceNetworkEngine(problem).loss(theta)
    assert loss == pytest.approx(expected, rel=0.02)
    assert np.linalg.norm(gradient - slope) <= 0.1 * np.linalg.norm(slope)
    rounded = precision == "bf16" or DEVICE == "cuda"  # a CPU knows no tf32
    assert (not np.allclose(gradient, slope, rtol=1e-6, atol=0)) or not rounded


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_products_of_narrow_layers_keep_their_bits(precision: str) -> None:
    problem, theta = fitted(hidden_features=64, hidden_layers=2)
    loss, gradient = GpuNetworkEngine(problem, DEVICE, Tuning(precision)).loss(theta)
    expected, slope = GpuNetworkEngine(problem, DEVICE).loss(theta)
    assert loss == expected
    assert np.array_equal(gradient, slope)


def test_gradients_of_rounded_products_are_those_of_the_product() -> None:
    rng = np.random.default_rng(0)
    # Whole numbers this small are the same in bfloat16.
    a, b, slope = (torch.tensor(rng.integers(-9, 10, s), dtype=torch.float32)
                   for s in ((4, 5), (5, 6), (4, 6)))  # fmt: skip
    a.requires_grad_()
    b.requires_grad_()
    expected = torch.autograd.grad(a @ b, (a, b), slope)
    product = products._Product.apply(a, b, "bf16")
    assert torch.equal(product, a @ b)
    for found, wanted in zip(torch.autograd.grad(product, (a, b), slope), expected, strict=True):
        assert torch.equal(found, wanted)


def test_where_a_rounded_loss_is_not_finite_float32_takes_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    problem, theta = fitted(hidden_features=256, hidden_layers=1)
    expected = ReferenceNetworkEngine(problem).loss(theta)
    monkeypatch.setattr(products, "_rounded", lambda x, precision: x * torch.inf)
    engine = GpuNetworkEngine(problem, DEVICE, Tuning("bf16"))
    with caplog.at_level(logging.WARNING, "inrcodec"):
        assert_same(engine.loss(theta), expected)
        assert_same(engine.loss(theta), expected)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["the loss is not finite in bf16; float32 from here on"]


def test_old_gpus_compute_in_float32(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert "7.5 is below 8.0" in products.supported("bf16", torch.device("cuda"))
    assert products.supported("float32", torch.device("cuda")) is None


def test_constants_are_made_once() -> None:
    """A recording must not copy anything from the host."""
    a, like = products.GpuArithmetic(), torch.zeros(1)
    first = a.constant(np.arange(3.0), like)
    assert a.constant(np.arange(3.0), like) is first
    assert torch.equal(a.constant(np.arange(4.0), like), torch.arange(4.0))


def test_the_network_is_compiled_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler is replaced by one that only tells of its use: it takes a minute."""
    seen = []

    def compiled(function: Any, **options: Any) -> Any:
        seen.append(options)
        return function

    monkeypatch.setattr(torch, "compile", compiled)
    problem, theta = fitted()
    engine = GpuNetworkEngine(problem, DEVICE, TUNINGS["gpu-compiled"])
    assert_same(engine.loss(theta), ReferenceNetworkEngine(problem).loss(theta))
    assert seen == [{"dynamic": False}]


def test_the_engine_is_chosen_on_cuda_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """CUDA is made up; the engine that needs it is replaced by its arguments."""
    problem, _ = fitted()

    class Made(ReferenceNetworkEngine):
        name = "gpu"

        def __init__(self, problem: NetworkProblem, device: str, tuning: Tuning) -> None:
            self.arguments = device, tuning

    monkeypatch.setattr(choice, "resolve_device", lambda device: "cuda:1")
    monkeypatch.setattr(choice, "device_name", lambda device: f"{device}, made up")
    monkeypatch.setattr(network, "GpuNetworkEngine", Made)
    with caplog.at_level(logging.INFO, "inrcodec"):
        for name in ("auto", *TUNINGS):
            made = make_network_engine(problem, "cuda:1", name)
            assert made.arguments == ("cuda:1", TUNINGS["gpu" if name == "auto" else name])
    assert {record.getMessage() for record in caplog.records} == {"engine gpu on cuda:1, made up"}
    assert set(TUNINGS) == {"gpu", *engines.NETWORK_ENGINES}


@pytest.mark.parametrize("name", engines.NETWORK_ENGINES)
def test_the_grid_refuses_engines_of_networks(name: str) -> None:
    with pytest.raises(BadOption, match=f"engine {name} fits coordinate networks"):
        engines.make_engine(None, "cpu", name)


@pytest.mark.parametrize("remedies", [(), ("iga",), ("evos",), ("ws", "decay"), ("bn",)])
def test_whole_fits_and_remedies_run_by_it(
    remedies: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def engine(problem: NetworkProblem, *_: str) -> GpuNetworkEngine:
        made.append(GpuNetworkEngine(problem, DEVICE))
        return made[-1]

    monkeypatch.setattr(network_fit, "make_network_engine", engine)
    field = "relu" if "bn" in remedies else "siren"
    sizes = {"hidden_features": 8, "hidden_layers": 1}
    y, x = np.mgrid[0:16, 0:20]
    signal = image_signal((100 + 5 * x - 3 * y).astype(np.uint8))
    options = EncodeOptions(
        effort=1, field=field, device=DEVICE, network=sizes, remedies=remedies, lmbda=1e-4
    )
    encoded = codec.encode(signal, options)
    assert len(made) == 1
    assert codec.verify(encoded.data).samples.shape == (16, 20, 1)
    assert encoded.psnr_db > 20
