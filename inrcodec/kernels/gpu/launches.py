"""The launches of the kernels of one problem, and the memory they share."""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass

import numpy as np
import torch
import triton
from torch import Tensor

from inrcodec.errors import BadInput
from inrcodec.kernels import AdamState, GridProblem
from inrcodec.kernels.gpu import banded, distortion, rate, tiles, update
from inrcodec.kernels.gpu.plan import BandPass, make_plan

# Products and sums are fused; Triton 3.9 warns, and later ones do otherwise, where nobody says so.
os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")

_log = logging.getLogger(__name__)

_ARM = tuple(f"arm.{name}" for name in ("w1", "b1", "w2", "b2", "w3", "skip", "b3"))
_SYNTHESIS = tuple(f"syn.{name}" for name in ("w1", "b1", "w2", "b2"))


@dataclass(frozen=True)
class Tuning:
    """Sizes of launches; results differ between them by rounding alone.

    The kernels that go through all latents or pixels have as many programs as run at once: more
    would wait for the first to end. That is a matter of registers, of which a multiprocessor has
    65,536: 8 warps of threads with all 255 that they may have, 16 with 128.

    Args:
        processors: multiprocessors of the device.
        heavy_warps: that one runs of `rate` and `synthesis_adjoint`, which take all registers.
        light_warps: that one runs of the other kernels of pixels.
        rate_block, pixel_block: latents or pixels that a program takes at once.
        rate_warps, pixel_warps: warps per program; of `rate` twice as many where its tiles are
            taller than 16, and its sums too many for the registers of so few.
        vector_block: elements of the element-wise kernels.
        precision: of matrix products, see `tl.dot`: ieee, or tf32x3, which keeps float32 accuracy
            on tensor cores.
    """

    processors: int
    heavy_warps: int = 8
    light_warps: int = 16
    rate_block: int = 64
    pixel_block: int = 64
    rate_warps: int = 4
    pixel_warps: int = 4
    vector_block: int = 1024
    precision: str = "tf32x3"

    @classmethod
    def of(cls, device: torch.device) -> Tuning:
        """What suits a device."""
        if device.type == "cpu":
            return cls(processors=2, heavy_warps=4, light_warps=8, precision="ieee")
        properties = torch.cuda.get_device_properties(device)
        precision = "tf32x3" if properties.major >= 8 else "ieee"
        return cls(properties.multi_processor_count, precision=precision)

    def programs(self, warps_at_once: int, warps: int) -> int:
        """Programs of that many warps, of which a multiprocessor runs so many at once."""
        return self.processors * max(1, warps_at_once // warps)


class Launches:
    """Kernels of one GridProblem, to be launched with its device being the current one.

    Memory is about 235 bytes per pixel with default networks, that of a training included; rows of
    context gradients are 96 of them.

    Args:
        problem: what to fit.
        device: a GPU, or the CPU under Triton's interpreter.
        tuning: sizes of launches.

    Raises:
        ValueError: the kernels have no room for the problem's layout or levels.
        BadInput: the picture is too large.
    """

    def __init__(self, problem: GridProblem, device: torch.device, tuning: Tuning) -> None:
        arm, synthesis, layer = _checked_layout(problem)
        self._problem, self._device, self._tuning = problem, device, tuning
        self._hidden, self._inputs = problem.layout["arm.w1"]
        self._features = problem.layout["syn.w1"][0]
        self._starts = (0, arm, arm + synthesis)
        self._layer_size = layer
        self._tall = max(16, _power(self._hidden))
        self._rate_warps = tuning.rate_warps * (1 if self._tall == 16 else 2)
        self._rate_programs = tuning.programs(tuning.heavy_warps, self._rate_warps)
        self._heavy_programs = tuning.programs(tuning.heavy_warps, tuning.pixel_warps)
        self._light_programs = tuning.programs(tuning.light_warps, tuning.pixel_warps)
        self._make_tables()
        self._make_buffers()

    def perturb(
        self,
        latents: Tensor,
        z: Tensor,
        slope: Tensor,
        constants: Tensor,
        seeds: Tensor,
        counter: Tensor,
    ) -> None:
        """See `update.perturb`."""
        block = self._tuning.vector_block
        grid = (triton.cdiv(len(latents), block),)
        update.perturb[grid](
            latents, z, slope, constants, seeds, counter, len(latents), BLOCK=block
        )

    def adam(
        self,
        state: AdamState,
        gradient: Tensor,
        slope: Tensor | None,
        constants: Tensor,
        counter: Tensor,
    ) -> None:
        """See `update.adam`; a slope is a factor of the gradient."""
        block = self._tuning.vector_block
        update.adam[(triton.cdiv(len(gradient), block),)](
            state.values, state.first, state.second, gradient, gradient if slope is None else slope,
            constants, counter, len(gradient), state.beta1, state.beta2, state.epsilon,
            BLOCK=block, SLOPED=slope is not None,
        )  # fmt: skip

    def loss(
        self,
        latents: Tensor,
        theta: Tensor,
        lmbda: float,
        gradient: Tensor,
        sums: Tensor,
        losses: Tensor,
        counter: Tensor,
    ) -> None:
        """Everything of one loss and its gradients.

        Args:
            latents, theta: where.
            gradient, sums: written, the gradients of both.
            losses: [steps, 2] float64, of which row counter[0] is written: mean squared error and
                bits.
        """
        self.terms(latents, theta, lmbda)
        self.add_programs(sums, losses, counter)
        self.latent_gradient(gradient)

    def terms(self, latents: Tensor, theta: Tensor, lmbda: float) -> None:
        """All of a loss that networks are part of: what the next two add up is then there."""
        self._pad(latents)
        self._rate(theta, lmbda / self._problem.pixels, gradients=True)
        self._forward(theta, clip=False)
        self._adjoint(theta)

    def add_programs(self, sums: Tensor, losses: Tensor, counter: Tensor) -> None:
        """Writes a loss, and gradients of networks, see `loss`."""
        parameters, columns = self._problem.parameter_count, 16
        tiles.add_programs[(triton.cdiv(parameters + 2, columns),)](
            self._partial, sums, losses, counter, self._target.numel(),
            PROGRAMS=len(self._partial), PARAMETERS=parameters, ROWS=64, COLUMNS=columns,
        )  # fmt: skip

    def latent_gradient(self, gradient: Tensor) -> None:
        """Writes the gradient of the latents, by the picture and by their bits."""
        p = self._problem
        self._pass("adjoint across", self._d_features, self._wide)
        self._pass("adjoint down", self._wide, gradient)
        block = self._tuning.vector_block // 8
        rate.collect[(triton.cdiv(p.latent_count, block),)](
            gradient, self._rows, self._levels, self._contexts, p.latent_count,
            LEVELS=len(p.level_shapes), SPATIAL=len(p.spatial_context),
            COARSE=len(p.coarse_context), BLOCK=block, ATOMIC=self.atomic,
        )  # fmt: skip

    def evaluate(
        self, latents: Tensor, theta: Tensor, sums: Tensor, losses: Tensor, counter: Tensor
    ) -> None:
        """The same without gradients, of the clipped picture; what is in `sums` has no meaning.

        `maps` are then those of the latents and theta.
        """
        self._pad(latents)
        self._forward(theta, clip=True)
        self._rate(theta, 0.0, gradients=False)
        self.add_programs(sums, losses, counter)

    @property
    def maps(self) -> tuple[Tensor, Tensor]:
        """What `evaluate` has summed: see `Engine.maps`."""
        _, height, width = self._problem.target.shape
        return self._planes[-1][0].view(height, width), self._costs

    def _make_tables(self) -> None:
        plan = make_plan(self._problem, self._tuning.vector_block // 8)
        to = self._to_device
        self._target = to(self._problem.target.astype(np.float32))
        self._levels = to(plan.levels)
        # A row more, because an empty tensor has no address that kernels could be given.
        self._contexts = to(np.concatenate([plan.contexts, np.zeros((1, 3), np.int32)]))
        self._across = [to(a) for a in (plan.across, plan.across_low, plan.across_weights)]
        self._wide_size, self._padded_size = plan.wide, plan.padded
        self._passes = {
            name: (band, [to(a) for a in (band.table, band.low, band.weights)])
            for name, band in (
                ("down", plan.down),
                ("adjoint across", plan.adjoint_across),
                ("adjoint down", plan.adjoint_down),
            )
        }

    def _make_buffers(self) -> None:
        p = self._problem
        channels, height, width = p.target.shape
        levels = len(p.level_shapes)
        self._padded = torch.zeros(self._padded_size, device=self._device)
        self._wide = self._empty(self._wide_size)
        self._planes = [self._empty(channels, height * width) for _ in range(p.taps + 2)]
        self._d_features = self._empty(levels, height * width)
        self._costs = self._empty(p.latent_count)
        programs = max(self._rate_programs, self._heavy_programs, self._light_programs)
        # Zeros, because no kernel writes the gradients of what is not asked for, and some have
        # fewer programs than others.
        self._partial = torch.zeros(programs, p.parameter_count + 2, device=self._device)
        self.atomic = False
        self._rows: Tensor | None
        try:
            self._rows = self._empty(self._inputs + 1, p.latent_count)
        except torch.cuda.OutOfMemoryError:
            self.give_up_rows()

    def give_up_rows(self) -> None:
        """Frees the rows of context gradients, which are added by atomics from now on."""
        self.atomic, self._rows = True, None
        torch.cuda.empty_cache()
        self._rows = torch.zeros_like(self._padded)
        _log.warning(
            "little GPU memory is left: gradients of latents are added by atomics, and the same "
            "seed may give other bytes"
        )

    def _empty(self, *shape: int) -> Tensor:
        return torch.empty(shape, dtype=torch.float32, device=self._device)

    def _to_device(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._device)

    def _pad(self, latents: Tensor) -> None:
        block = self._tuning.vector_block
        rate.pad[(triton.cdiv(len(latents), block),)](
            latents, self._padded, self._levels, len(latents),
            LEVELS=len(self._problem.level_shapes), BLOCK=block,
        )  # fmt: skip

    def _forward(self, theta: Tensor, clip: bool) -> None:
        """Planes, squared error and, unless clipped, the picture's gradient in the last plane."""
        p, t = self._problem, self._tuning
        channels, height, width = p.target.shape
        self._pass("down", self._padded, self._wide)
        sizes = dict(STRIDE=self._partial.shape[1], CHANNELS=channels, BLOCK=t.pixel_block)
        last = (self._target, self._partial, 2 / self._target.numel())
        distortion.synthesis[(self._light_programs,)](
            self._wide, *self._across, theta[self._starts[1] :],
            self._planes[0 if p.taps else -1], *last, p.feature_gain, width, height * width,
            **sizes, **self._synthesis_sizes(), LAST=p.taps == 0, CLIP=clip,
        )  # fmt: skip
        for k in range(p.taps):
            above = self._planes[k + 1 if k + 1 < p.taps else -1]
            distortion.layer[(self._light_programs,)](
                self._planes[k], above, self._layer(theta, k), *last, height, width, **sizes,
                LAST=k + 1 == p.taps, CLIP=clip, num_warps=t.pixel_warps, num_stages=1,
            )  # fmt: skip

    def _adjoint(self, theta: Tensor) -> None:
        """Gradients of the synthesis, and of its features, from the last plane."""
        p, t = self._problem, self._tuning
        channels, height, width = p.target.shape
        stride = self._partial.shape[1]
        above, free = self._planes[-1], self._planes[-2]
        sizes = dict(STRIDE=stride, CHANNELS=channels, BLOCK=t.pixel_block, PRECISION=t.precision)
        for k in reversed(range(p.taps)):
            distortion.layer_adjoint[(self._light_programs,)](
                self._planes[k], above, free, self._layer(theta, k),
                self._layer(self._partial.view(-1), k), height, width, **sizes,
                INPUTS=_power(9 * channels + 1), FIRST=k == 0,
                num_warps=t.pixel_warps, num_stages=1,
            )  # fmt: skip
            above, free = free, above
        distortion.synthesis_adjoint[(self._heavy_programs,)](
            self._wide, *self._across, theta[self._starts[1] :], above, self._d_features,
            self._partial.view(-1)[self._starts[1] :], p.feature_gain, width, height * width,
            STRIDE=stride, CHANNELS=channels, BLOCK=t.pixel_block, **self._synthesis_sizes(),
        )  # fmt: skip

    def _rate(self, theta: Tensor, weight: float, gradients: bool) -> None:
        """Bits; where asked for, also gradients of the context network and rows of latents'."""
        p, t = self._problem, self._tuning
        count, levels = p.latent_count, len(p.level_shapes)
        rate.rate[(self._rate_programs,)](
            self._padded, theta, self._levels, self._contexts, self._rows, self._costs,
            self._partial, weight, count, STRIDE=self._partial.shape[1], LEVELS=levels,
            INPUTS=self._inputs, HIDDEN=self._hidden, TALL=self._tall,
            WIDE=max(16, _power(self._inputs + 1)), BLOCK=t.rate_block, PRECISION=t.precision,
            GRADIENTS=gradients, ATOMIC=self.atomic, num_warps=self._rate_warps,
            num_stages=1,
        )  # fmt: skip

    def _pass(self, name: str, source: Tensor, out: Tensor) -> None:
        band: BandPass
        band, tables = self._passes[name]
        banded.along[(band.blocks,)](
            source, out, *tables, LEVELS=len(self._problem.level_shapes), AXIS=band.axis,
            OUTPUTS=self._tuning.vector_block // 8, TAPS=8 if name == "down" else 16,
        )  # fmt: skip

    def _synthesis_sizes(self) -> dict[str, object]:
        return dict(
            LEVELS=len(self._problem.level_shapes),
            HIDDEN=self._features,
            TALL=max(16, _power(self._features)),
            PRECISION=self._tuning.precision,
            num_warps=self._tuning.pixel_warps,
            num_stages=1,
        )

    def _layer(self, values: Tensor, k: int) -> Tensor:
        """What a flat vector of parameters, or of their sums, holds of 3x3 layer k and after it."""
        return values[self._starts[2] + k * self._layer_size :]


def _checked_layout(problem: GridProblem) -> tuple[int, int, int]:
    """Parameters of the context network, of the synthesis and of one 3x3 layer.

    Raises:
        ValueError: the layout has another order than the kernels, or more levels than their tiles.
        BadInput: indices do not fit into 32 bits.
    """
    layers = [f"syn.{name}{k}" for k in range(problem.taps) for name in ("taps", "tapbias")]
    expected = [*_ARM, *_SYNTHESIS, *layers]
    if list(problem.layout) != expected:
        raise ValueError(f"the layout is {', '.join(problem.layout)}, expected {expected}")
    levels = len(problem.level_shapes)
    if levels > 15:
        raise ValueError(f"there are {levels} levels, expected at most 15")
    if levels * problem.pixels >= 1 << 31:
        raise BadInput(
            f"a picture of {problem.pixels} pixels is too large for engine gpu, which counts up to "
            f"{(1 << 31) // levels}; use engine cpu, or cut the picture into parts"
        )

    def size(names: tuple[str, ...]) -> int:
        return sum(math.prod(problem.layout[name]) for name in names)

    return size(_ARM), size(_SYNTHESIS), size(tuple(layers[:2]))


def _power(n: int) -> int:
    """The smallest power of two that is at least n."""
    return 1 << max(0, n - 1).bit_length()
