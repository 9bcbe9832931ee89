"""The CPU engine: numbers of `reference`, fused and tiled, compiled by numba.

A step is one list of bands of the rate and the distortion term, run by a few threads, and one pass
that adds the bands' gradients. Nothing of the size of the picture is stored but the levels, their
gradients and the bands' shares of these.
"""

from __future__ import annotations

import math
from dataclasses import replace
from queue import LifoQueue

import numpy as np

from inrcodec.kernels import LOG_SCALE_RANGE, AdamState, GridProblem, Loss
from inrcodec.kernels.compiled import context, render
from inrcodec.kernels.cpu import distortion, rate, update
from inrcodec.kernels.cpu.compiling import Overload, recorded
from inrcodec.kernels.cpu.dense import zeros
from inrcodec.kernels.cpu.plan import PicturePlan, RatePlan, padded_levels
from inrcodec.kernels.cpu.reduce import add_parts, pad_rows
from inrcodec.kernels.cpu.team import Team
from inrcodec.kernels.cpu.weights import PictureWeights, RateWeights, Sums
from inrcodec.kernels.first_run import make_ahead
from inrcodec.kernels.network import split
from inrcodec.runtime import threads as usable_threads

_LOG_SCALE_RANGE = tuple(np.float32(limit) for limit in LOG_SCALE_RANGE)
_CHUNK = 65536  # elements of a vector that one thread updates at a time


class CpuEngine:
    """Loss, gradients and updates of one GridProblem by compiled code; vectors are numpy arrays.

    Args:
        problem: what to fit.
        threads: how many threads to use, by default what `runtime.threads` says. Results do not
            depend on it.
    """

    name = "cpu"

    def __init__(self, problem: GridProblem, threads: int | None = None) -> None:
        self.problem = problem
        self.threads = threads or usable_threads()
        self._team = Team(self.threads)
        self._target = np.array(problem.target, np.float32).ravel()
        self._squares = np.empty(problem.pixels, np.float32)
        self._levels, size = padded_levels(problem)
        self._padded = zeros(size)
        self._rate = RatePlan(problem, self._levels, 0)
        self._picture = PicturePlan(problem, self._levels, self._rate.end)
        self._partial = zeros(self._picture.end)
        self._rate_weights = RateWeights(problem)
        self._picture_weights = PictureWeights(problem)
        self._rate_sums = Sums(self._rate_weights.shapes(), len(self._rate.bands))
        self._picture_sums = Sums(self._picture_weights.shapes(), len(self._picture.bands))
        self._rate_rows = rate.row_tables(self._rate_weights.inputs, self._rate_weights.hidden)
        self._picture_rows = self._picture.rows()
        self._workers = self._new_workers()
        self._level_at = np.cumsum([0] + [h * w for h, w in problem.level_shapes]).tolist()
        self._parts = [self._parts_of(index) for index in range(len(problem.level_shapes))]

    def vector(self, values: np.ndarray) -> np.ndarray:
        return np.array(values, np.float32, order="C")

    def array(self, vector: np.ndarray) -> np.ndarray:
        return vector.copy()

    def loss(self, latents: np.ndarray, theta: np.ndarray, lmbda: float) -> Loss:
        mse, bits = self._run(latents, theta, lmbda, with_gradients=True)
        gradient = np.empty(self.problem.latent_count, np.float32)
        self._team.map(lambda task: self._add_parts(gradient, *task), self._row_tasks())
        theta_gradient = np.empty(self.problem.parameter_count, np.float32)
        views = split(theta_gradient, self.problem.layout)
        self._rate_weights.unpack(self._rate_sums.total(), views)
        self._picture_weights.unpack(self._picture_sums.total(), views)
        return Loss(mse, bits, gradient, theta_gradient)

    def evaluate(self, latents: np.ndarray, theta: np.ndarray) -> Loss:
        return Loss(*self._run(latents, theta, 0.0, with_gradients=False))

    def maps(self, latents: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.evaluate(latents, theta)
        bits = np.empty(self.problem.latent_count, np.float32)
        self._team.map(lambda task: self._add_parts(bits, *task), self._row_tasks())
        height, width = self.problem.target.shape[1:]
        return self._squares.reshape(height, width) / self.problem.target.shape[0], bits

    def perturb(
        self, latents: np.ndarray, temperature: float, sigma: float, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        z, slope = np.empty_like(latents), np.empty_like(latents)
        gain = np.float32(0.5 / math.tanh(0.5 / temperature))
        inverse, sigma = np.float32(1 / temperature), np.float32(sigma)
        keys = np.random.SeedSequence(seed).generate_state(2, np.uint32)
        self._team.map(
            lambda part: update.perturb(latents, z, slope, *part, inverse, gain, sigma, *keys),
            _chunks(latents.size),
        )
        return z, slope

    def adam(self, state: AdamState, gradient: np.ndarray, rate: float, step: int) -> None:
        constants = (
            np.float32(state.beta1),
            np.float32(state.beta2),
            np.float32(rate / (1 - state.beta1**step)),
            np.float32(1 / (1 - state.beta2**step)),
            np.float32(state.epsilon),
        )
        vectors = (state.values, state.first, state.second, gradient)
        self._team.map(
            lambda part: update.adam(*vectors, *part, *constants), _chunks(gradient.size)
        )

    def _run(
        self, latents: np.ndarray, theta: np.ndarray, lmbda: float, with_gradients: bool
    ) -> tuple[float, float]:
        """Mean squared error and bits; fills the partial gradients."""
        self._team.map(lambda task: self._pad(latents, *task), self._row_tasks())
        self._rate_sums.clear()
        self._picture_sums.clear()
        parameters = split(theta, self.problem.layout)
        picture_weights = self._picture_weights.pack(parameters)
        rate_weights = self._rate_weights.pack(parameters)
        weight = np.float32(lmbda / self.problem.pixels)
        scale = np.float32(2 / self._target.size if with_gradients else 1)

        def run(task: tuple[bool, int]) -> float:
            of_picture, band = task
            worker = self._workers.get()
            try:
                if of_picture:
                    return self._picture_band(band, picture_weights, worker, scale, with_gradients)
                return self._rate_band(band, rate_weights, worker, weight, with_gradients)
            finally:
                self._workers.put(worker)

        pictures = len(self._picture.bands)
        tasks = [(True, band) for band in range(pictures)]
        tasks += [(False, band) for band in range(len(self._rate.bands))]
        results = self._team.map(run, tasks)
        mse = math.fsum(results[:pictures]) / self._target.size
        bits = math.fsum(results[pictures:])
        if not math.isfinite(mse + bits):
            self._workers = self._new_workers()  # NaN in unused columns of scratch would stay
        return mse, bits

    def _picture_band(
        self, band: int, weights: tuple, worker: tuple, scale: np.float32, with_gradients: bool
    ) -> float:
        plan = self._picture
        scratch, _, accumulators = worker
        part, levels, rows = plan.bands[band], plan.level_parts[band], self._picture_rows
        z, kernels, totals = self._padded, plan.kernels, self._picture_sums.of_band(band)
        error = distortion.picture_forward(
            z,
            self._target,
            kernels,
            levels,
            part,
            weights,
            rows,
            scratch,
            not with_gradients,
            scale,
            self._squares,
        )
        span = plan.spans[band]
        self._partial[span.start : span.end].fill(0)
        if with_gradients:
            distortion.taps_backward(scratch, part, weights, rows, accumulators, totals)
            distortion.synthesis_backward(
                z,
                scratch,
                kernels,
                levels,
                part,
                weights,
                rows,
                accumulators,
                totals,
                self._partial,
            )
        return error

    def _rate_band(
        self, band: int, weights: tuple, worker: tuple, weight: np.float32, with_gradients: bool
    ) -> float:
        plan = self._rate
        scratch, accumulators, _ = worker
        span = plan.spans[band]
        self._partial[span.start : span.end].fill(0)
        return rate.rate_band(
            self._padded, plan.bands[band], plan.spatial[plan.level_of_band[band]], plan.coarse,
            self._rate_weights.hidden, weights, self._rate_rows, scratch, accumulators,
            *_LOG_SCALE_RANGE, weight, self._partial, self._rate_sums.of_band(band), with_gradients,
        )  # fmt: skip

    def _new_workers(self) -> LifoQueue:
        """(scratch, accumulators of the rate, of the distortion) for each thread."""
        size = rate.scratch_size(self._rate_weights.inputs, self._rate_weights.hidden)
        workers: LifoQueue = LifoQueue()
        for _ in range(self.threads):
            scratch = zeros(max(size, self._picture.scratch))
            sums = self._rate_sums.accumulators(), self._picture_sums.accumulators()
            workers.put((scratch, *sums))
        return workers

    def _parts_of(self, level: int) -> np.ndarray:
        parts = [
            (part.first, part.last, part.at, part.pitch)
            for part in (*self._rate.parts, *self._picture.parts)
            if part.level == level
        ]
        return np.array(parts, np.int64).reshape(-1, 4)

    def _row_tasks(self) -> list[tuple[int, int, int]]:
        """(level, first row, last row) of pieces of about _CHUNK latents."""
        return [
            (index, first, min(first + max(1, _CHUNK // width), height))
            for index, (height, width) in enumerate(self.problem.level_shapes)
            for first in range(0, height, max(1, _CHUNK // width))
        ]

    def _pad(self, latents: np.ndarray, index: int, first: int, last: int) -> None:
        level = self._levels[index]
        pad_rows(
            latents, self._level_at[index], self._padded, level.at, first, last, level.width,
            level.pitch,
        )  # fmt: skip

    def _add_parts(self, gradient: np.ndarray, index: int, first: int, last: int) -> None:
        width = self._levels[index].width
        add_parts(
            self._partial, self._parts[index], gradient, self._level_at[index], first, last, width
        )


def prepare(problem: GridProblem) -> None:
    """Compiles what a fit calls, and what its decode does, where it was not yet on this machine."""
    if not rate.rate_band.dispatcher.signatures:  # else it was called in this process before
        make_ahead([*called_by_fits(problem), *context.ENTRIES, *render.ENTRIES])


def called_by_fits(problem: GridProblem) -> list[Overload]:
    """All that Python calls in a fit of a problem."""
    with recorded() as codes:
        engine = CpuEngine(_corner(problem), threads=1)
        vector = engine.vector(np.zeros(engine.problem.latent_count))
        engine.loss(vector, engine.vector(np.zeros(problem.parameter_count)), lmbda=1.0)
        engine.perturb(vector, temperature=1.0, sigma=0.0, seed=0)
        engine.adam(AdamState(vector, vector, vector), vector, rate=1.0, step=1)
    return list(codes)


def _corner(problem: GridProblem) -> GridProblem:
    """The same for a few pixels."""
    target = problem.target[:, :16, :16]
    levels = range(problem.first_level, problem.first_level + len(problem.level_shapes))
    shapes = tuple(tuple(-(-size >> level) for size in target.shape[1:]) for level in levels)
    return replace(problem, target=target, level_shapes=shapes)


def _chunks(size: int) -> list[tuple[int, int]]:
    return [(start, min(start + _CHUNK, size)) for start in range(0, size, _CHUNK)]
