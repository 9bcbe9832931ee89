"""Writing vector instructions for LLVM by hand, where its loop vectoriser falls short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

_FEATURES = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
AVX512 = "+avx512f" in _FEATURES.split(",")
LANES = 16 if AVX512 else 8
VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INT = ir.IntType(64)


class Emitter:
    """Writes the instructions that the kernels are made of where `builder` stands."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder

    def constant(self, value: int) -> ir.Constant:
        return ir.Constant(_INT, value)

    def add(self, *terms: ir.Value | int) -> ir.Value:
        total = self.constant(0)
        for term in terms:
            total = self.builder.add(total, self.constant(term) if isinstance(term, int) else term)
        return total

    def mul(self, a: ir.Value, b: ir.Value | int) -> ir.Value:
        return self.builder.mul(a, self.constant(b) if isinstance(b, int) else b)

    def scalar(self, array: ir.Value, index: ir.Value) -> ir.Value:
        return self.builder.load(self.builder.gep(array, [index]))

    def load(self, array: ir.Value, index: ir.Value) -> ir.Value:
        return self.builder.load(self._vector_at(array, index), align=4)

    def store(self, value: ir.Value, array: ir.Value, index: ir.Value) -> None:
        self.builder.store(value, self._vector_at(array, index), align=4)

    def _vector_at(self, array: ir.Value, index: ir.Value) -> ir.Value:
        return self.builder.bitcast(self.builder.gep(array, [index]), VECTOR.as_pointer())

    def broadcast(self, value: ir.Value) -> ir.Value:
        undefined = ir.Constant(VECTOR, ir.Undefined)
        first = self.builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, undefined, mask)

    def multiply_add(self, slot: ir.Value, a: ir.Value, b: ir.Value) -> None:
        product = self.builder.fmul(a, b, flags=("contract",))
        total = self.builder.fadd(product, self.builder.load(slot), flags=("contract",))
        self.builder.store(total, slot)

    def slots(self, values: list[ir.Value]) -> list[ir.Value]:
        """Variables that LLVM keeps in registers."""
        slots = [cgutils.alloca_once(self.builder, VECTOR) for _ in values]
        for slot, value in zip(slots, values, strict=True):
            self.builder.store(value, slot)
        return slots

    @contextmanager
    def loop(self, count: ir.Value, step: int = 1) -> Iterator[ir.Value]:
        """The body of a loop over 0, step, ... below count."""
        rounds = self.builder.sdiv(self.add(count, step - 1), self.constant(step))
        with cgutils.for_range(self.builder, rounds) as loop:
            yield self.mul(loop.index, step)

    def in_blocks(
        self, count: ir.Value, sizes: tuple[int, ...], body: Callable[[ir.Value, int], None]
    ) -> None:
        """Calls body(first, size) for blocks that cover 0 .. count; the last size divides count."""
        first = self.constant(0)
        for size in sizes:
            rounds = self.builder.sdiv(self.builder.sub(count, first), self.constant(size))
            with cgutils.for_range(self.builder, rounds) as loop:
                body(self.add(first, self.mul(loop.index, size)), size)
            first = self.add(first, self.mul(rounds, size))


def addresses(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> list:
    """The arguments, arrays replaced by the address of their first element.

    Also forbids LLVM to copy the function into its callers, which would cost seconds to compile.
    """
    builder.function.attributes.add("noinline")
    return [
        context.make_array(kind)(context, builder, value).data
        if isinstance(kind, types.Array)
        else value
        for kind, value in zip(signature.args, args, strict=True)
    ]


def bit_cast(source: types.Type, target: types.Type) -> Callable:
    """Compiled code's function that takes the bits of a number as those of another type."""

    @intrinsic
    def cast(typing, x):  # noqa: ANN202
        def emit(
            context: object, builder: ir.IRBuilder, signature: object, args: tuple
        ) -> ir.Value:
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(source), emit

    return cast
