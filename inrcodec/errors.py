"""Every failure that inrcodec raises on purpose, each with the exit code of the command line.

```
InrError 1 ─┬─ BadOption 2            what was asked for makes no sense
            ├─ BadInput 3             the picture, sound or array cannot be read or encoded
            │    └─ OutOfDeviceMemory  it does not fit into the memory of a GPU
            ├─ Diverged 1             a fit left the finite numbers
            ├─ CorruptFile 4 ─┬─ NotAnInrFile      wrong magic
            │                 └─ TruncatedFile     ends before its sections do
            ├─ LimitExceeded 5        a header asks for more than `Limits` allows
            ├─ UnsupportedFile 6      newer version, unknown critical section or id
            └─ OutputError 7          the result cannot be written where it was asked for
```
"""


class InrError(Exception):
    """Base class of every deliberate failure. `exit_code` is what the command line returns."""

    exit_code = 1


class BadOption(InrError, ValueError):
    """An option or argument is out of range, unknown, or contradicts another one."""

    exit_code = 2


class BadInput(InrError, ValueError):
    """The signal to encode cannot be read, or holds values that cannot be encoded."""

    exit_code = 3


class OutOfDeviceMemory(BadInput):
    """A signal does not fit into the memory of a GPU."""


class Diverged(InrError):
    """A fit left the finite numbers, also at smaller learning rates."""


class CorruptFile(InrError):
    """An `.inr` file is damaged: a check sum, a length or a coded value is wrong."""

    exit_code = 4


class NotAnInrFile(CorruptFile):
    """The file does not begin with the `.inr` magic."""


class TruncatedFile(CorruptFile):
    """The file ends before its sections do."""


class LimitExceeded(InrError):
    """The file asks for more pixels, parameters, compute or memory than `Limits` allows."""

    exit_code = 5


class UnsupportedFile(InrError):
    """The file is whole, but of a newer version, or uses a feature that this decoder lacks."""

    exit_code = 6


class OutputError(InrError, OSError):
    """The output exists already, or cannot be written."""

    exit_code = 7
