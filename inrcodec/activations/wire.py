"""The complex Gabor wavelet of WIRE."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from inrcodec.activations import Activation
from inrcodec.registry import register


@register("activations", "wire", id=7)
@dataclass(frozen=True)
class Wire(Activation):
    """exp(i r x - |x|^2) of complex x: wavelet networks.

    With x = sigma_0 z and r = omega_0 / sigma_0 this is exp(i omega_0 z - |sigma_0 z|^2), as in the
    paper, whose sigma_0 is 30; narrow networks need wider wavelets.
    """

    source = "WIRE, Saragadam et al., arXiv 2301.05187, eq. 4; omega_0 / sigma_0 = 20 / 30"
    field = "wire"
    parts = 2
    boost = 5.0
    learning_rate = 2.5e-2

    ratio_48ths: int = attribute(default=32, metadata={"range": (0, 4095)})

    def boost_of(self, omega_0: float) -> float:
        """sigma_0; without waves there is nothing but that."""
        return omega_0 * 48 / self.ratio_48ths if self.ratio_48ths else omega_0

    def __call__(self, a: Any, x: Any) -> Any:
        half = len(x) // 2
        real, imaginary = x[:half], x[half:]
        ratio = self.ratio_48ths / 48
        envelope = a.exp(-(real * real) - imaginary * imaginary - imaginary * ratio)
        phase = real * ratio
        return a.concatenate([envelope * a.cos(phase), envelope * a.sin(phase)])
