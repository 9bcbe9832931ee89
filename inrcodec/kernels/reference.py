"""The reference engine: torch autograd on any device, written for clarity.

Every other engine is tested against this one. Activations are channel-major, [features, samples].
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from inrcodec.entropy.context import PAD
from inrcodec.kernels import LOG_SCALE_RANGE, AdamState, GridProblem, Loss
from inrcodec.kernels.kernel import phase_weights


class ReferenceEngine:
    """Loss and gradients of a GridProblem by torch autograd."""

    name = "reference"

    def __init__(self, problem: GridProblem, device: str = "cpu") -> None:
        self.problem = problem
        self.device = torch.device(device)
        if self.device.type == "cuda":
            _forbid_tf32()
        self._target = self.vector(problem.target)
        self._weights = [
            self.vector(phase_weights(problem.first_level + i))
            for i in range(len(problem.level_shapes))
        ]

    def vector(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(np.asarray(values, np.float32), device=self.device).clone()

    def array(self, vector: Tensor) -> np.ndarray:
        return vector.detach().cpu().numpy().copy()

    def loss(self, latents: Tensor, theta: Tensor, lmbda: float) -> Loss:
        latents = latents.detach().requires_grad_()
        theta = theta.detach().requires_grad_()
        mse, bits = self._forward(latents, theta, clip=False)
        (mse + lmbda / self.problem.pixels * bits).backward()
        return Loss(mse.item(), bits.item(), latents.grad, theta.grad)

    def evaluate(self, latents: Tensor, theta: Tensor) -> Loss:
        with torch.no_grad():
            mse, bits = self._forward(latents, theta, clip=True)
        return Loss(mse.item(), bits.item())

    def maps(self, latents: Tensor, theta: Tensor) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            picture, bits = self._maps(latents, theta)
            squares = (picture.clamp(0, 1) - self._target).square().mean(dim=0)
        return self.array(squares), self.array(bits)

    def perturb(
        self, latents: Tensor, temperature: float, sigma: float, seed: int
    ) -> tuple[Tensor, Tensor]:
        generator = torch.Generator(device=self.device).manual_seed(seed)
        noise = torch.randn(latents.shape, generator=generator, device=self.device)
        once, slope_once = _soft_round(latents, temperature)
        twice, slope_twice = _soft_round(once + sigma * noise, temperature)
        return twice, slope_once * slope_twice

    def adam(self, state: AdamState, gradient: Tensor, rate: float, step: int) -> None:
        state.first.lerp_(gradient, 1 - state.beta1)
        state.second.mul_(state.beta2).addcmul_(gradient, gradient, value=1 - state.beta2)
        root = (state.second / (1 - state.beta2**step)).sqrt_().add_(state.epsilon)
        state.values.addcdiv_(state.first, root, value=-rate / (1 - state.beta1**step))

    def _forward(self, latents: Tensor, theta: Tensor, clip: bool) -> tuple[Tensor, Tensor]:
        picture, bits = self._maps(latents, theta)
        if clip:
            picture = picture.clamp(0, 1)
        mse = (picture - self._target).square().mean(dtype=torch.float64)
        return mse, bits.sum(dtype=torch.float64)

    def _maps(self, latents: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The picture [channels, height, width], unclipped, and the bits of each latent."""
        p = self.problem
        levels = [
            part.reshape(shape)
            for part, shape in zip(
                latents.split([h * w for h, w in p.level_shapes]), p.level_shapes, strict=True
            )
        ]
        parameters = {
            name: part.reshape(shape)
            for (name, shape), part in zip(
                p.layout.items(),
                theta.split([math.prod(shape) for shape in p.layout.values()]),
                strict=True,
            )
        }
        mu, log_scale = self._arm(levels, parameters)
        return self._synthesis(levels, parameters), laplace_bits(latents, mu, log_scale)

    def _arm(self, levels: list[Tensor], p: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Mean and log2 scale of every latent; each [latents]."""
        contexts = []
        for i, level in enumerate(levels):
            rows = spatial_rows(level, self.problem.spatial_context)
            parent = levels[i + 1] if i + 1 < len(levels) else torch.zeros_like(level[::2, ::2])
            rows += coarse_rows(parent, level.shape, self.problem.coarse_context)
            contexts.append(
                torch.stack(rows).flatten(1) if rows else level.new_zeros(0, level.numel())
            )
        x = torch.cat(contexts, dim=1)  # [in_features, latents]
        h = torch.relu(torch.addmm(p["arm.b1"][:, None], p["arm.w1"], x))
        h = h + torch.relu(torch.addmm(p["arm.b2"][:, None], p["arm.w2"], h))
        out = torch.addmm(p["arm.b3"][:, None], p["arm.w3"], h) + p["arm.skip"] @ x
        return out[0], out[1].clamp(*LOG_SCALE_RANGE)

    def _synthesis(self, levels: list[Tensor], p: dict[str, Tensor]) -> Tensor:
        """The picture [channels, height, width] at native size."""
        channels, height, width = self.problem.target.shape
        features = torch.stack(
            [
                upsample(level, weights, height, width)
                for level, weights in zip(levels, self._weights, strict=True)
            ]
        ).flatten(1)
        features = features * self.problem.feature_gain
        h = torch.relu(torch.addmm(p["syn.b1"][:, None], p["syn.w1"], features))
        y = torch.addmm(p["syn.b2"][:, None], p["syn.w2"], h).reshape(1, channels, height, width)
        for k in range(self.problem.taps):
            padded = F.pad(y, (1, 1, 1, 1), mode="replicate")
            y = y + F.conv2d(padded, p[f"syn.taps{k}"], p[f"syn.tapbias{k}"])
            if k + 1 < self.problem.taps:
                y = torch.relu(y)
        return y[0]


def _forbid_tf32() -> None:
    """Makes float32 products on CUDA keep 24 bits; convolutions would keep 11 by default."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _soft_round(y: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Soft rounding s(y) and its derivative (Agustsson and Theis, arXiv 2006.09952, eq. 11)."""
    floor = torch.floor(y)
    t = torch.tanh((y - floor - 0.5) / temperature)
    gain = 0.5 / math.tanh(0.5 / temperature)
    return floor + 0.5 + gain * t, (1 - t * t) * (gain / temperature)


def laplace_bits(y: Tensor, mu: Tensor, log_scale: Tensor) -> Tensor:
    """Bits of each y under a Laplace distribution integrated over [y - 1/2, y + 1/2].

    Written as exp of the nearer end, so that tails keep their gradient:
    P = exp(-(d - 1/2)/b) (1 - exp(-1/b)) / 2 for d = |y - mu| >= 1/2, else
    P = 1 - (exp(-(1/2 + d)/b) + exp(-(1/2 - d)/b)) / 2.
    """
    inverse = torch.exp2(-log_scale)
    d = (y - mu).abs()
    outer = (d - 0.5).clamp(min=0)
    tail = (outer * inverse - torch.log(-torch.expm1(-inverse)) + math.log(2)) / math.log(2)
    inner = d.clamp(max=0.5)
    mass = 1 - 0.5 * (torch.exp((-0.5 - inner) * inverse) + torch.exp((inner - 0.5) * inverse))
    return torch.where(d < 0.5, -torch.log2(mass), tail)


def spatial_rows(level: Tensor, offsets: tuple[tuple[int, int], ...]) -> list[Tensor]:
    """One [h, w] view per causal neighbour, zero outside the grid."""
    h, w = level.shape
    padded = F.pad(level, (PAD, PAD, PAD, 0))
    return [padded[PAD + dy : PAD + dy + h, PAD + dx : PAD + dx + w] for dy, dx in offsets]


def coarse_rows(
    parent: Tensor, shape: tuple[int, int], directions: tuple[tuple[int, int], ...]
) -> list[Tensor]:
    """One [h, w] plane per direction: values around the parent (y // 2, x // 2) of each latent.

    A direction of 1 is towards the side on which the latent lies in its parent (an odd index lies
    below or right of the parent's centre), -1 away from it; zero outside the grid.
    """
    h, w = shape
    ph, pw = parent.shape
    padded = F.pad(parent, (1, 1, 1, 1))

    def plane(fy: int, fx: int) -> Tensor:
        def quarter(odd_y: int, odd_x: int) -> Tensor:
            dy = fy if odd_y else -fy
            dx = fx if odd_x else -fx
            return padded[1 + dy : 1 + dy + ph, 1 + dx : 1 + dx + pw]

        rows = [torch.stack([quarter(o, 0), quarter(o, 1)], dim=-1).flatten(1) for o in (0, 1)]
        return torch.stack(rows, dim=1).flatten(0, 1)[:h, :w]

    return [plane(fy, fx) for fy, fx in directions]


def upsample(level: Tensor, weights: Tensor, height: int, width: int) -> Tensor:
    """Latents [h, w] at all native positions [height, width]: one filter per phase and axis.

    Args:
        level: one latent grid.
        weights: [spacing, 5], row p the weights of samples i-2..i+2 at native sample i*spacing + p.
    """
    spacing = weights.shape[0]
    if spacing == 1:
        return level
    h, w = level.shape
    padded = F.pad(level[None, None], (2, 2, 2, 2), mode="replicate")
    tall = F.conv2d(padded, weights[:, None, :, None])[0]  # [spacing, h, w + 4]
    tall = tall.permute(1, 0, 2).reshape(1, 1, h * spacing, w + 4)[:, :, :height]
    wide = F.conv2d(tall, weights[:, None, None, :])[0]  # [spacing, height, w]
    return wide.permute(1, 2, 0).reshape(height, w * spacing)[:, :width]
