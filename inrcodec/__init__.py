"""inrcodec: images, sounds and videos as implicit neural representations, in small files.

```
in.png ──media──► Signal ──fit──► Field ──quantize──► integers ──entropy──► bytes ──► out.inr
out@any size ◄─media── Signal ◄──render(Grid)── Field ◄──integers ◄──entropy── bytes ◄── out.inr
```

`encode`, `decode`, `open`, `read`, `write`, `info` and `verify` are all there is to know; every
failure is a subclass of `InrError`. Importing this package loads neither numpy nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inrcodec.errors import (
    BadInput,
    BadOption,
    CorruptFile,
    Diverged,
    InrError,
    LimitExceeded,
    NotAnInrFile,
    OutputError,
    TruncatedFile,
    UnsupportedFile,
)

if TYPE_CHECKING:
    from inrcodec.api import OpenFile, decode, encode, info, open, read, verify, write
    from inrcodec.bitstream.limits import Limits
    from inrcodec.signal import AudioSignal, Signal, VideoSignal, audio_signal, video_signal

__version__ = "0.1.0"

__all__ = [
    "AudioSignal",
    "BadInput",
    "BadOption",
    "CorruptFile",
    "Diverged",
    "InrError",
    "LimitExceeded",
    "Limits",
    "NotAnInrFile",
    "OpenFile",
    "OutputError",
    "Signal",
    "TruncatedFile",
    "UnsupportedFile",
    "VideoSignal",
    "audio_signal",
    "decode",
    "encode",
    "info",
    "open",
    "read",
    "verify",
    "video_signal",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from inrcodec import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
