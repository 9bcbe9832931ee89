"""Compiled functions that Python calls without starting numba, which takes a second.

numba compiles such a function once per machine. Its code is kept as an object file, as a C compiler
would leave it: nothing in it refers to numba or to Python, and llvmlite links it in a millisecond.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import threading
from collections.abc import Callable
from functools import cache, cached_property
from importlib import import_module

import llvmlite.binding as llvm
import numpy as np

from inrcodec.kernels.cache import announce, keep, keeps, kept

SYMBOL = "entry"  # the one of every object file

_lock = threading.Lock()


class Entry:
    """A function for numba, compiled when it is called first and never was on this machine.

    Args:
        module, name: where it is; the module is imported only to compile. The function raises
            nothing, returns nothing and makes no arrays.
        signature: of its parameters in turn; "i8" is a number, "f4[:,:]" an array of two
            dimensions, C-contiguous, of numpy's type f4.
    """

    def __init__(self, module: str, name: str, signature: str) -> None:
        self._module, self._name, self._signature = module, name, signature
        self._kinds = [parameter(word) for word in signature.split()]

    def __call__(self, *arguments: np.ndarray | int) -> None:
        """Calls the function.

        Raises:
            TypeError: an array is not what the signature says.
        """
        words = _words(self._kinds, arguments)
        self._function((ctypes.c_int64 * len(words))(*words))

    def bind(self, *arrays: np.ndarray) -> Callable[..., None]:
        """The function of the numbers that follow the arrays: for many calls, one at a time."""
        words = _words(self._kinds[: len(arrays)], arrays)
        numbers = len(words)
        memory = (ctypes.c_int64 * (numbers + len(self._kinds) - len(arrays)))(*words)
        function, address = self._function, ctypes.addressof(memory)

        def bound(*arguments: int, _arrays_live: tuple = arrays) -> None:
            memory[numbers:] = arguments
            function(address)

        return bound

    def is_kept(self) -> bool:
        """Whether it was compiled on this machine before."""
        return keeps(self._file())

    def make(self) -> bytes:
        """Compiles it and keeps it.

        Returns:
            The object file.

        Raises:
            RuntimeError: the function needs something of numba or Python.
        """
        from inrcodec.kernels.cpu.compiling import object_code

        announce()
        function = getattr(import_module(self._module), self._name)
        code = object_code(function, self._kinds, SYMBOL)
        keep(self._file(), code)
        return code

    @cached_property
    def _function(self) -> Callable[[object], None]:
        code = kept(self._file())
        if code is None:
            code = self.make()
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_linked(code))

    def _file(self) -> str:
        key = hashlib.sha256(repr((self._signature, *_processor())).encode()).hexdigest()[:16]
        return f"{self._module.rpartition('.')[2]}.{self._name}-{key}.o"


def parameter(word: str) -> tuple[np.dtype, int]:
    """Type of elements and number of dimensions of a parameter; a number has none."""
    name, _, dimensions = word.partition("[")
    return np.dtype(name), dimensions.count(":")


def _words(kinds: list[tuple[np.dtype, int]], arguments: tuple) -> list[int]:
    """The arguments as the code takes them, arrays as address and lengths."""
    words = []
    for (dtype, dimensions), value in zip(kinds, arguments, strict=True):
        if not dimensions:
            words.append(value)
        elif value.dtype == dtype and value.ndim == dimensions and value.flags.c_contiguous:
            words += [value.__array_interface__["data"][0], *value.shape]
        else:
            said = f"{value.ndim} dimensions of {value.dtype}, strides {value.strides}"
            raise TypeError(f"an array has {said}; expected {dimensions} of {dtype} in C's order")
    return words


def _processor() -> tuple[str | None, ...]:
    """What code is compiled for: this processor, or what numba is told instead."""
    told = (os.environ.get(f"NUMBA_CPU_{name}") for name in ("NAME", "FEATURES"))
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), *told


@cache
def _linker() -> llvm.LLJIT:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler(suppress_errors=True)


_libraries: list[llvm.ResourceTracker] = []  # linked code lives as long as these


def _linked(code: bytes) -> int:
    """The address of the function of an object file.

    Raises:
        RuntimeError: it refers to what is not in this process.
    """
    with _lock:
        library = llvm.JITLibraryBuilder().add_object_img(code).export_symbol(SYMBOL)
        library = library.add_current_process().link(_linker(), f"library {len(_libraries)}")
        _libraries.append(library)
    return library[SYMBOL]
