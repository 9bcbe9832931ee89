"""Good files of the conformance corpus in coordinate networks: pictures, sounds and videos.

Like those of `good_bitstreams`, their parameters are integers from SHAKE-256.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
from good_bitstreams import Noise, picture

from inrcodec import codec, registry
from inrcodec.activations.finer import Finer
from inrcodec.activations.gauss import Gauss
from inrcodec.activations.relu import Relu
from inrcodec.activations.sine import Sine
from inrcodec.activations.spder import SpderArctan, SpderLog, SpderSqrt, SpderSqrtRelu
from inrcodec.activations.wire import Wire
from inrcodec.encodings.fourier import Fourier, WideFourier
from inrcodec.encodings.hash import Hash
from inrcodec.encodings.identity import Identity
from inrcodec.encodings.lattice import Lattice
from inrcodec.encodings.positional import Positional
from inrcodec.fields.loe import LoeConfig, LoeField
from inrcodec.fields.mfn import BACON, FOURIER, GABOR, MfnConfig, MfnField
from inrcodec.fields.mlp import MlpConfig, MlpField
from inrcodec.fields.network import NetworkField
from inrcodec.grid import Axis, Grid
from inrcodec.signal import AnySignal, Colour, Signal, VideoSignal, audio_signal
from inrcodec.signal.colour import chroma_shape

FAMILIES: dict[type, type[NetworkField]] = {
    MlpConfig: MlpField,
    MfnConfig: MfnField,
    LoeConfig: LoeField,
}
# Name of a tensor, up to its number -> (largest integer, exponent).
SPREADS = {
    "weight": (60, 5), "bias": (40, 5), "lattice": (9, 0), "phase": (100, 5), "table": (60, 6),
    "frequency": (200, 5), "centre": (30, 5), "gamma": (20, 3), "output": (60, 5),
    "offset": (40, 5), "curve": (0, 0),
}  # fmt: skip
# Coordinates that no encoding has spread want a first layer of some radians.
BARE = {"weight0": (400, 5)}


@dataclass(frozen=True)
class Network:
    """A file that decodes.

    Args:
        purpose: what it covers.
        signal: what the file claims to show; its samples do not matter.
        configs: of the segments, over and over.
        spreads: name of a tensor -> (largest integer, exponent), where not as in SPREADS.
        segment_seconds: of a sound or video.
        change: edits theta_hat in place.
        expose: shift and scale the output towards the middle of its range.
        decodes: arguments of decodes beside the native one, as JSON has them.
        field: where not that of the config.
    """

    purpose: str
    signal: AnySignal
    configs: tuple[Any, ...]
    spreads: dict[str, tuple[int, int]] = field(default_factory=dict)
    segment_seconds: Fraction | None = None
    change: Callable[[dict[str, np.ndarray]], None] | None = None
    expose: bool = True
    decodes: tuple[dict[str, Any], ...] = ()
    field: str | None = None

    def build(self, name: str) -> bytes:
        noise, made = Noise(name), 0

        def fit(part: AnySignal, _: Any) -> tuple[int, NetworkField]:
            nonlocal made
            config, made = self.configs[made % len(self.configs)], made + 1
            family = registry.get("fields", self.field).part if self.field else None
            family = family or FAMILIES[type(config)]
            return registry.of_part("fields", family).id, self._field(family, config, part, noise)

        options = SimpleNamespace(segment_seconds=self.segment_seconds)
        return codec.encode(self.signal, options, fit).data

    def _field(
        self, family: type[NetworkField], config: Any, part: AnySignal, noise: Noise
    ) -> NetworkField:
        shape = shape_of(part)
        channels = len(part.planes) if isinstance(part, VideoSignal) else part.channels
        layout = family.layout(config, len(shape), channels)
        spreads = {n: self._spread(n) for n in layout}
        theta = {n: noise.integers(s, spreads[n][0]) for n, (_, s) in layout.items()}
        steps = {group: spreads[n][1] for n, (group, _) in reversed(layout.items())}
        if self.change:
            self.change(theta)
        made = family(config, (len(shape), channels), part.kind, steps, theta)
        if self.expose:
            _expose(made, shape)
        return made

    def _spread(self, name: str) -> tuple[int, int]:
        kind = name.split(".")[0].rstrip("0123456789")
        return self.spreads.get(name.split(".")[0]) or self.spreads.get(kind) or SPREADS[kind]


def shape_of(signal: AnySignal) -> tuple[int, ...]:
    """Native samples along each axis."""
    if signal.kind == "video":
        return signal.frames, signal.height, signal.width
    return (signal.frames,) if signal.kind == "audio" else (signal.height, signal.width)


def _expose(made: NetworkField, shape: tuple[int, ...]) -> None:
    """Shifts and scales the output of random integers so that few samples are clipped."""
    layout = made.layout(made.config, *made.features)
    *_, weight, bias = layout
    grid = Grid(tuple(Axis.over(n, Fraction(0), Fraction(n), n) for n in shape))
    middle, unit = (0.0, 1) if made.kind == "audio" else (0.5, 2)
    one = 2 ** made.steps[layout[bias][0]]
    for _ in range(8):
        values = made.render(grid).reshape(math.prod(shape), -1)
        made.theta_hat[bias] += np.rint((middle - values.mean(axis=0)) * unit * one).astype(int)
        if values.std() > 0.3 * 2 / unit:
            made.theta_hat[weight] >>= 1
        elif 0 < values.std() < 0.1 * 2 / unit:
            made.theta_hat[weight] <<= 1


def black(height: int, width: int, channels: int = 1, depth: int = 8) -> Signal:
    return Signal(np.zeros((height, width, channels), np.uint8 if depth <= 8 else np.uint16), depth)


def silence(frames: int, channels: int, rate_hz: int, depth: int) -> AnySignal:
    return audio_signal(np.zeros((frames, channels)), rate_hz, depth)


def still(
    frames: int, height: int, width: int, subsampling: str, depth: int = 8, **about: Any
) -> VideoSignal:
    """A video of nothing."""
    dtype = np.uint8 if depth == 8 else np.uint16
    shapes = [(height, width)]
    if subsampling != "4:0:0":
        shapes += [chroma_shape(height, width, subsampling)] * 2
    planes = tuple(np.zeros((frames, *shape), dtype) for shape in shapes)
    rate = about.pop("rate", Fraction(25))
    return VideoSignal(planes, rate, depth, subsampling, **about)


def _halves(theta: dict[str, np.ndarray]) -> None:
    """Frequencies of half a turn per step, so that BACON's need not be whole."""
    for name, values in theta.items():
        if name.startswith("frequency"):
            values[::2] += 1


def _hostile(theta: dict[str, np.ndarray]) -> None:
    """Every parameter as large as the format has them, signs as they are: all bounds are met."""
    for values in theta.values():
        values[:] = np.where(values < 0, -(2**23), 2**23 - 1)


def _overflowing(theta: dict[str, np.ndarray]) -> None:
    """Wavelets of 1e307, then weights that make infinities of both signs of them."""
    theta["weight1"][:] = 0
    theta["bias1"][:] = [[0] * 3, [-42] * 3]
    for name in ("weight2", "weight3"):
        theta[name][:] = np.where(theta[name] < 0, -(2**23), 2**23 - 1)


def _curve(*numbers: int) -> Callable[[dict[str, np.ndarray]], None]:
    """Sets the numbers of a power curve."""

    def change(theta: dict[str, np.ndarray]) -> None:
        theta["curve"][:] = numbers

    return change


PICTURE = black(8, 11, 3)
VARIED = np.array([0, 3, 4, 9, 10, 11], np.int64)
FINE = ({"size": [13, 17]}, {"size": [4, 5]}, {"region": [1, 2, 5, 3], "size": [6, 9]})
RETIMED = ({"fps": "60"}, {"fps": "10"}, {"time": ["1/25", "3/25"]})
RESAMPLED = ({"rate_hz": 12000}, {"rate_hz": 3000}, {"time": ["1/500", "1/200"]})


def _mlp(activation: Any, encoding: Any, width: int = 5, layers: int = 1) -> tuple[MlpConfig]:
    return (MlpConfig(activation, encoding, width, layers),)


BARE_PICTURES = {
    f"mlp_{name}": Network(f"activation {name}", PICTURE, _mlp(activation, Identity()), BARE)
    for name, activation in {
        "sine": Sine(), "spder": SpderSqrt(), "spder_arctan": SpderArctan(),
        "spder_log": SpderLog(), "spder_sqrt_relu": SpderSqrtRelu(), "finer": Finer(20),
        "wire": Wire(40), "gauss": Gauss(), "relu": Relu(),
    }.items()
}  # fmt: skip

SOUNDS = {
    f"sound_{name}": Network(f"a sound, {name}", silence(60, 1, 8000, 16), configs, spreads,
                             decodes=RESAMPLED)
    for name, configs, spreads in (
        ("finer", _mlp(Finer(20), Identity()), {"weight0": (2000, 5)}),
        ("wire", _mlp(Wire(40), Identity()), BARE),
        ("gauss", _mlp(Gauss(), Identity()), BARE),
        ("relu", _mlp(Relu(), Identity()), BARE),
        ("positional", _mlp(Relu(), Positional(6)), {}),
        ("bacon", (MfnConfig(BACON, 4, 2, 0b01),), {"frequency": (9, 0)}),
        ("fouriernet", (MfnConfig(FOURIER, 4, 2, 0),), {"frequency": (2000, 5)}),
    )
}  # fmt: skip

VIDEOS = {
    f"video_{name}": Network(f"a video, {name}", still(3, 6, 7, "4:2:0"), configs,
                             decodes=(*FINE, *RETIMED))
    for name, configs in (
        ("fourier", _mlp(Relu(), Fourier(6, 20, 2))),
        ("fouriernet", (MfnConfig(FOURIER, 4, 1, 0),)),
        ("gabornet", (MfnConfig(GABOR, 4, 1, 0),)),
    )
}  # fmt: skip

NETWORKS = BARE_PICTURES | SOUNDS | VIDEOS | {
    "mlp_smallest": Network("1x1 grey, every option at its lowest", black(1, 1),
                            _mlp(Sine(), Identity(), 1, 0)),
    "mlp_positional": Network("encoding positional, four channels", black(9, 7, 4),
                              _mlp(Relu(), Positional(3))),
    "mlp_fourier": Network("encoding fourier, 16-bit grey", black(10, 9, 1, 16),
                           _mlp(Relu(), Fourier(6, 20, 3))),
    "mlp_lattice": Network("encoding lattice, grey and alpha", black(7, 12, 2),
                           _mlp(Sine(), Lattice(7, 9))),
    "mlp_hash": Network("encoding hash, coarse tables dense and fine ones hashed", black(12, 10, 3),
                        _mlp(Relu(), Hash(4, 2, 5, 3, 96))),
    "mlp_deep": Network("15 hidden layers", black(5, 6), _mlp(Sine(), Identity(), 3, 15),
                        BARE | {"weight": (150, 5)}),
    "mlp_no_hidden_layer": Network("no hidden layer", black(7, 9, 3),
                                   _mlp(Finer(1), Identity(), 6, 0), BARE),
    "mlp_wire_deep": Network("complex layers between complex layers", black(8, 9, 3),
                             _mlp(Wire(), Identity(), 4, 3), {"weight0": (100, 5)}),
    "mlp_wire_no_hidden_layer": Network("complex features, no complex matrix", black(6, 8, 3),
                                        _mlp(Wire(100), Fourier(3, 9, 20), 4, 0)),
    "mlp_finest_positional": Network("24 bands", black(4, 5), _mlp(Gauss(), Positional(24), 2, 0),
                                     {"weight0": (6, 5)}),
    "mlp_most_fourier": Network("1024 rows, other options at their highest", black(2, 3),
                                _mlp(Finer(1023), Fourier(1024, 1023, 63), 1, 0),
                                {"weight0": (2, 5)}),
    "mlp_fourier_of_zeros": Network("all frequencies 0", black(2, 3),
                                    _mlp(Wire(4095), Fourier(1, 0, 0), 2, 0), expose=False),
    "mlp_highest_lattice": Network("frequencies that are huge, or no whole numbers", black(4, 6, 3),
                                   _mlp(Sine(), Lattice(5, 65535), 3, 0), {"lattice": (65535, 1)}),
    "mlp_fine_hash": Network("16 levels of four entries, the finest of 7e10 cells", black(4, 6, 3),
                             _mlp(Relu(), Hash(16, 1, 2, 64, 255), 3, 0)),
    "mlp_coarse_hash": Network("a level of one vertex, eight features", black(3, 4),
                               _mlp(Wire(0), Hash(2, 8, 20, 1, 255), 2, 1)),
    "mlp_hostile": Network("parameters of 2**23: arguments beyond all bounds", black(5, 6, 3),
                           _mlp(SpderSqrt(), Identity(), 3, 2),
                           dict.fromkeys(SPREADS, (60, 0)), change=_hostile, expose=False),
    "mlp_hostile_relu": Network("the same without a bound but that of the layers", black(5, 6, 3),
                                _mlp(Relu(), Identity(), 3, 2), dict.fromkeys(SPREADS, (60, 0)),
                                change=_hostile, expose=False),
    "mlp_overflow": Network("infinities and NaN within complex layers", black(4, 5, 3),
                            _mlp(Wire(4095), Identity(), 3, 2), dict.fromkeys(SPREADS, (60, 0)),
                            change=_overflowing, expose=False),
    "sympower": Network("a power curve behind a network", PICTURE,
                        _mlp(Finer(20), Positional(2)), change=_curve(-1100, 1300, 155),
                        field="sympower"),
    "sympower_hostile": Network("levels beyond all bounds, a power below 0", black(3, 4, 2),
                                _mlp(Sine(), Identity(), 2, 0), BARE, expose=False,
                                change=_curve(2**23 - 1, -(2**23), -9), field="sympower"),
    "sympower_steep": Network("a power of 32768", black(5, 4), _mlp(Wire(9), Fourier(3, 9, 4), 3),
                              change=_curve(0, 1024, 2**23 - 1), field="sympower"),
    "sympower_sound": Network("a power curve behind a sound", silence(60, 1, 8000, 16),
                              _mlp(Sine(), Identity()), {"weight0": (2000, 5)},
                              change=_curve(-900, 1000, 300), field="sympower",
                              decodes=RESAMPLED),
    "sympower_video": Network("a power curve behind a video", still(3, 6, 7, "4:2:0"),
                              _mlp(Relu(), Lattice(4, 5), 4, 0), field="sympower",
                              change=_curve(-1024, 1024, 256), decodes=(*FINE, *RETIMED)),
    "sound_mono_8_bit": Network("a sound, 8-bit mono", silence(60, 1, 8000, 8),
                                _mlp(SpderArctan(), Identity(), 5, 1), {"weight0": (2000, 5)},
                                decodes=RESAMPLED),
    "sound_stereo_16_bit": Network("16-bit stereo", silence(70, 2, 8000, 16),
                                   _mlp(Sine(), Fourier(6, 80, 1), 5, 1), decodes=RESAMPLED),
    "sound_fourier_wide": Network("encoding fourier-wide, a sound", silence(64, 1, 8000, 16),
                                  _mlp(Relu(), WideFourier(6, 9, 2)), decodes=RESAMPLED),
    "sound_24_bit": Network("three channels of 24 bits", silence(50, 3, 8000, 24),
                            _mlp(Relu(), Hash(3, 2, 4, 5, 128), 4, 1), decodes=RESAMPLED),
    "sound_segments": Network(
        "four segments, of which two have a config of their own; decodes across the seams",
        silence(95, 2, 8000, 16),
        (MlpConfig(Sine(), Identity(), 4, 1), MlpConfig(Wire(20), Lattice(3, 9), 3, 1)),
        {"weight0": (1000, 5)}, Fraction(25, 8000),
        decodes=(*RESAMPLED, {"rate_hz": 7001, "time": ["1/1000", "9/1000"]}),
    ),
    "video_420": Network("a video, 4:2:0 of odd size", still(4, 7, 9, "4:2:0"),
                         _mlp(Sine(), Identity(), 5, 1), BARE, decodes=(*FINE, *RETIMED)),
    "video_444_10_bit": Network(
        "4:4:4 of 10 bits; code points, full range, pixels that are not square",
        still(3, 6, 8, "4:4:4", 10, rate=Fraction(30000, 1001), pixel_aspect=Fraction(4, 3),
              colour=Colour(9, 9, 16, True, "topleft")),
        _mlp(Relu(), Positional(2), 4, 1), decodes=(*FINE, {"fps": "60"}),
    ),
    "video_grey": Network("luma alone, 16 bits", still(4, 6, 7, "4:0:0", 16),
                          _mlp(Relu(), Hash(3, 2, 4, 2, 100), 4, 1), decodes=(*FINE, *RETIMED)),
    "video_422": Network("4:2:2", still(2, 6, 9, "4:2:2"), _mlp(Finer(9), Lattice(4, 5), 4, 0),
                         decodes=FINE),
    "video_440": Network("4:4:0", still(2, 7, 8, "4:4:0"), _mlp(Gauss(), Identity(), 4, 0), BARE,
                         decodes=FINE),
    "video_411": Network("4:1:1", still(2, 6, 10, "4:1:1"), _mlp(SpderSqrt(), Identity(), 4, 0),
                         BARE, decodes=FINE),
    "video_segments": Network(
        "three segments, the last one of a single frame", still(5, 6, 8, "4:2:0"),
        _mlp(Wire(30), Identity(), 3, 1), BARE, Fraction(2, 25), decodes=(*FINE[:2], *RETIMED),
    ),
    "video_variable_rate": Network(
        "ticks", still(6, 5, 6, "4:2:0", ticks=VARIED, time_base=Fraction(1, 50),
                       rate=Fraction(25)),
        _mlp(Sine(), Identity(), 4, 1), BARE, decodes=({"fps": "40"}, {"time": ["3/50", "1/5"]}),
    ),
    "video_variable_segments": Network(
        "ticks over three segments", still(6, 5, 6, "4:0:0", ticks=VARIED,
                                           time_base=Fraction(1, 50), rate=Fraction(25)),
        _mlp(Sine(), Identity(), 4, 1), BARE, Fraction(2, 25), decodes=({"fps": "40"},),
    ),
    "mfn_bacon": Network("filters bacon, three outputs, of which the last one shows", PICTURE,
                         (MfnConfig(BACON, 5, 4, 0b0101),), {"frequency": (5, 0)}),
    "mfn_bacon_halves": Network("bacon with frequencies of half a cycle", black(6, 7),
                                (MfnConfig(BACON, 4, 2, 127),), {"frequency": (9, 1)},
                                change=_halves),
    "mfn_fouriernet": Network("filters fouriernet", PICTURE, (MfnConfig(FOURIER, 5, 2, 0),)),
    "mfn_gabornet": Network("filters gabornet", PICTURE, (MfnConfig(GABOR, 5, 2, 1),)),
    "mfn_negative_gamma": Network("windows that grow beyond all bounds", black(5, 6, 3),
                                  (MfnConfig(GABOR, 3, 2, 0),), {"gamma": (9000, 0)}, expose=False),
    "mfn_sound": Network("gabornet of a sound", silence(60, 2, 8000, 16),
                         (MfnConfig(GABOR, 4, 2, 0),), {"frequency": (2000, 5)},
                         decodes=RESAMPLED),
    "mfn_video": Network("bacon of a video", still(3, 6, 7, "4:2:0"), (MfnConfig(BACON, 4, 1, 0),),
                         {"frequency": (4, 0)}, decodes=(*FINE, *RETIMED)),
    "loe_fine_to_coarse": Network("levels of experts, small cells first", PICTURE,
                                  (LoeConfig(4, 2, 2, 1, 1),), BARE),
    "loe_coarse_to_fine": Network("large cells first, nine candidates", black(9, 8),
                                  (LoeConfig(3, 1, 3, 0, 0),), BARE),
    "loe_fine": Network("cells far smaller than a pixel, four candidates a side", black(4, 5),
                        (LoeConfig(2, 1, 4, 15, 1),), BARE),
    "loe_no_hidden_layer": Network("one layer with tiles, of one candidate", black(5, 6, 4),
                                   (LoeConfig(4, 0, 1, 2, 0),), BARE),
    "loe_sound": Network("levels of experts of a sound", silence(60, 1, 8000, 16),
                         (LoeConfig(4, 2, 2, 2, 1),), {"weight0": (1500, 5)}, decodes=RESAMPLED),
    "loe_video": Network("of a video", still(3, 6, 7, "4:2:0"), (LoeConfig(3, 1, 2, 1, 1),), BARE,
                         decodes=(*FINE, *RETIMED)),
}  # fmt: skip


def fitted(signal: AnySignal, field: str, lmbda: float, **network: int) -> bytes:
    from inrcodec.fit import EncodeOptions

    options = EncodeOptions(
        lmbda, effort=1, engine="reference", device="cpu", field=field, network=network
    )
    return codec.encode(signal, options).data


def chord(frames: int, rate_hz: int) -> AnySignal:
    """Two tones by formula, one on each side, that fade."""
    t = np.arange(frames)[:, None] / rate_hz
    return audio_signal(0.6 * np.sin(2 * np.pi * t * [440.0, 660.0]) * np.exp(-20 * t), rate_hz, 16)


FITTED_NETWORKS = {
    "fitted_siren": (
        "a really fitted picture in a sine network",
        lambda: fitted(picture(24, 32, 3), "siren", 1e-3, hidden_features=8),
    ),
    "fitted_sound": (
        "a really fitted sound in a Gabor network",
        lambda: fitted(chord(300, 8000), "gabornet", 1e-3, hidden_features=8),
    ),
}
