"""Compiling with numba, once per machine: decorators, and what keeps their results.

numba's own cache does not notice that a called function in another file has changed, and fails on a
damaged file. This one keeps what Python calls in the folder of `kernels.cache`.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import update_wrapper
from threading import local
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import compiler, config
from numba.core.caching import NullCache
from numba.core.codegen import get_host_cpu_features
from numba.core.serialize import dumps
from numba.extending import intrinsic
from numba.np import arrayobj
from numba.np.numpy_support import from_dtype

from inrcodec.kernels import cache
from inrcodec.kernels.cpu.linking import PartCompiler, RawPartCompiler

# What LLVM may change about float arithmetic. NaN and infinity keep their meaning, so that a
# diverging fit is noticed.
_ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}


class compiled:  # noqa: N801, a decorator
    """The function compiled at its first call, which releases the GIL. For calls from Python."""

    def __init__(self, function: Callable) -> None:
        update_wrapper(self, function)
        self.dispatcher = _dispatcher(function, _ANY_ORDER, compiler.Compiler)
        self.dispatcher._cache = FolderCache(f"{function.__module__}.{function.__qualname__}")

    def __call__(self, *arguments: Any) -> Any:
        recording = getattr(_recording, "codes", None)
        if recording is None:
            return self.dispatcher(*arguments)
        recording[Overload(self, tuple(map(self.dispatcher.typeof_pyval, arguments)))] = None
        return 0.0

    def __reduce__(self) -> str:
        return self.__qualname__  # pickled by its name, as functions are


@dataclass(frozen=True)
class Overload:
    """A compiled function for arguments of certain types, for `first_run`."""

    function: compiled
    types: tuple[types.Type, ...]

    def is_kept(self) -> bool:
        dispatcher = self.function.dispatcher
        return dispatcher._cache.keeps(self.types, dispatcher.targetctx)

    def make(self) -> None:
        self.function.dispatcher.compile(self.types)


_recording = local()  # its `codes` are what this thread would have called, if it records


@contextmanager
def recorded() -> Iterator[dict[Overload, None]]:
    """What this thread calls in the meantime; it is not done, every result is 0."""
    _recording.codes = {}
    try:
        yield _recording.codes
    finally:
        _recording.codes = None


def exact(function: Callable) -> Callable:
    """For `object_code`: every float operation as it is written, in that order."""
    return _dispatcher(function, set(), PartCompiler)


def kernel(function: Callable) -> Callable:
    """For loops that only compiled code calls: optimised, then left to their callers."""
    return _dispatcher(function, _ANY_ORDER, PartCompiler)


def kernel_in_order(function: Callable) -> Callable:
    """The same for loops whose order of operations carries their precision."""
    return _dispatcher(function, {"contract"}, PartCompiler)


def inlined(function: Callable) -> Callable:
    """For functions without loops over samples, which are optimised only within their callers."""
    return _dispatcher(function, _ANY_ORDER, RawPartCompiler)


def formula(function: Callable) -> Callable:
    """The same for formulas whose order of operations carries their precision."""
    return _dispatcher(function, {"contract"}, RawPartCompiler)


def _dispatcher(function: Callable, fastmath: set[str], pipeline: type) -> Callable:
    # error_model: a check for division by zero would keep loops from being vectorised.
    return numba.njit(
        nogil=True,
        fastmath=fastmath,
        error_model="numpy",
        no_cpython_wrapper=issubclass(pipeline, PartCompiler),
        no_cfunc_wrapper=True,
        pipeline_class=pipeline,
    )(function)


def object_code(function: Callable, kinds: list[tuple[np.dtype, int]], symbol: str) -> bytes:
    """An object file of a function that refers to nothing outside of it but LLVM's own functions.

    Args:
        function: compiled by one of the decorators.
        kinds: of its parameters, type and dimensions; numbers have none.
        symbol: under which to find it. It takes the address of its arguments, one after the other
            as int64: a number, or the address and the lengths of an array.

    Raises:
        RuntimeError: the function needs something of numba or Python.
    """
    # Inlined, so that it is not optimised twice.
    names = {"function": numba.njit(inline="always", error_model="numpy")(function.py_func)}
    arguments, at = [], 0
    for i, (dtype, dimensions) in enumerate(kinds):
        names[f"take{i}"] = _argument(from_dtype(dtype), dimensions)
        arguments.append(f"take{i}(words, {at})")
        at += 1 + dimensions
    exec(f"def entry(words):\n    function({', '.join(arguments)})\n", names)
    signature = types.void(types.CPointer(types.int64))
    as_c = numba.cfunc(signature, error_model="numpy", pipeline_class=PartCompiler)
    entry = as_c(names["entry"])
    return _object_code(entry.inspect_llvm(), entry.native_name, symbol)


def _argument(dtype: types.Type, dimensions: int) -> Callable:
    """Compiled code's way to take an argument: number, or C-contiguous array, at a word."""
    kind = types.Array(dtype, dimensions, "C") if dimensions else dtype

    @intrinsic
    def take(typing, words, at):  # noqa: ANN202
        def emit(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> object:
            words, at = args
            word, *lengths = (
                builder.load(builder.gep(words, [builder.add(at, at.type(i))]))
                for i in range(1 + dimensions)
            )
            if not dimensions:
                return word
            size = context.get_abi_sizeof(context.get_data_type(dtype))
            strides = [at.type(size)]
            for length in reversed(lengths[1:]):
                strides.insert(0, builder.mul(strides[0], length))
            array = context.make_array(kind)(context, builder)
            arrayobj.populate_array(
                array,
                data=builder.inttoptr(word, context.get_data_type(dtype).as_pointer()),
                shape=lengths,
                strides=strides,
                itemsize=at.type(size),
                meminfo=None,
            )
            return array._getvalue()

        return kind(words, types.int64), emit

    return take


def _object_code(assembly: str, name: str, symbol: str) -> bytes:
    """A module as an object file, in which only the function of that name is seen from outside.

    That lets LLVM find out that no call can fail, and drop numba's handling of errors.
    """
    module = llvm.parse_assembly(assembly)
    for value in _values(module):
        if not value.is_declaration and value.name != name:
            value.linkage = "internal"
    module.get_function(name).name = symbol
    processor = config.CPU_NAME or llvm.get_host_cpu_name()
    features = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=processor, features=features, opt=3, reloc="pic", codemodel="jitdefault", jit=True
    )
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    needed = [value.name for value in _values(module) if value.is_declaration]
    needed = [name for name in needed if not name.startswith("llvm.")]
    if needed:
        raise RuntimeError(f"compiled code needs {', '.join(needed)}")
    return machine.emit_object(module)


def _values(module: llvm.ModuleRef) -> list[llvm.ValueRef]:
    return [*module.functions, *module.global_variables]


class FolderCache(NullCache):
    """numba's cache interface over one file per function, signature and processor.

    A file holds numba's pickle of a compile result. A missing, damaged or unwritable one only costs
    the compilation.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def cache_path(self) -> str | None:
        folder = cache.cache_folder()
        return None if folder is None else str(folder)

    def keeps(self, sig: object, target_context: object) -> bool:
        """Whether there is a file."""
        return cache.keeps(self._file(sig, target_context.codegen()))

    def load_overload(self, sig: object, target_context: object) -> object:
        target_context.refresh()
        payload = cache.kept(self._file(sig, target_context.codegen()))
        if payload is None:
            cache.announce()
            return None
        return compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, sig: object, data: object) -> None:
        cache.keep(self._file(sig, data.codegen), dumps(data._reduce()))

    def _file(self, sig: object, codegen: object) -> str:
        key = hashlib.sha256(repr((sig, codegen.magic_tuple())).encode()).hexdigest()[:16]
        return f"{self._name}-{key}.bin"
