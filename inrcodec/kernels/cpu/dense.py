"""Dense layers over a run of samples, channel-major: the products that take the time.

Written as vector instructions for LLVM, because its loop vectoriser keeps only one output in a
register: blocks of outputs by samples stay in registers while the inputs pass by. They know no
layer size, so that nothing is compiled per network, and run at nine tenths of the speed of a large
matrix product (16 x 17 x 256: 175 GFLOPS on one AVX-512 core where BLAS has 190).

```
dense   out[m, t]     = max(floor, a[0, m] + sum_k a[1 + k, m] x[k, t])
masked  out[m, t]     = (a[0, m] + sum_k a[1 + k, m] x[k, t]) if y[m, t] > 0 else 0
dots    acc[m, k, :] += sum of d[m, t] x[k, t] over every LANES-th t
```

All arrays are flat. Row k of x begins at element x0 + rows[k], so rows may overlap: shifted views
of a padded picture make a convolution. Row m of out, y and d begins at x_at + m * x_stride.
Runs of samples are multiples of UNIT.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj

from inrcodec.kernels.cpu.compiling import inlined
from inrcodec.kernels.cpu.emitting import AVX512, LANES, VECTOR, Emitter, addresses

Array = np.ndarray

UNIT = 32
# Sizes of blocks held in registers, tried from the largest: AVX-512 has 32 registers, others 16.
# A layer with few outputs needs many samples in a block to hide the latency of a sum.
_TALL = (8, 4, 3, 2, 1) if AVX512 else (4, 3, 2, 1)  # outputs, by two vectors of samples
_FLAT = (3, 2, 1)  # outputs, by four or two vectors
# Rows of d in a block of `dots`, by rows of x.
_DOTS = (
    {4: (4, 3, 2, 1), 3: (4, 3, 2, 1), 2: (8, 4, 3, 1), 1: (8, 4, 3, 1)}
    if AVX512
    else {2: (4, 3, 2, 1), 1: (8, 4, 3, 1)}
)


def _layer_kernel(is_masked: bool, heights: tuple[int, ...], widths: tuple[int, ...]) -> Callable:
    """`dense` or `masked` as an intrinsic; the other's last arguments are ignored.

    Args:
        is_masked: which of them.
        heights, widths: sizes of blocks in outputs and in vectors of samples, largest first.
    """

    def emit(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> ir.Value:
        e = Emitter(builder)
        values = addresses(context, builder, signature, args)
        out, out_at, out_stride, a, outputs, inputs, x, x0, rows, samples, *last = values
        floor, y, y_at, y_stride = last
        low = e.broadcast(floor)
        zero = ir.Constant(VECTOR, None)

        def finish(value: ir.Value, m: ir.Value, t: ir.Value) -> None:
            if is_masked:
                active = e.load(y, e.add(y_at, e.mul(y_stride, m), t))
                value = builder.select(builder.fcmp_ordered(">", active, zero), value, zero)
            else:
                value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
            e.store(value, out, e.add(out_at, e.mul(out_stride, m), t))

        def block(first: ir.Value, height: int, t: ir.Value, width: int) -> None:
            bias = [e.broadcast(e.scalar(a, e.add(first, m))) for m in range(height)]
            sums = e.slots([value for value in bias for _ in range(width)])
            with e.loop(inputs) as k:
                weights = e.add(first, e.mul(e.add(k, 1), outputs))
                start = e.add(x0, e.scalar(rows, k), t)
                xs = [e.load(x, e.add(start, c * LANES)) for c in range(width)]
                for m in range(height):
                    weight = e.broadcast(e.scalar(a, e.add(weights, m)))
                    for c in range(width):
                        e.multiply_add(sums[m * width + c], weight, xs[c])
            for i, slot in enumerate(sums):
                m, c = divmod(i, width)
                finish(builder.load(slot), e.add(first, m), e.add(t, c * LANES))

        def column(vector: ir.Value, width: int) -> None:
            t = e.mul(vector, LANES)
            e.in_blocks(outputs, heights, lambda first, height: block(first, height, t, width))

        e.in_blocks(builder.sdiv(samples, e.constant(LANES)), widths, column)
        return context.get_dummy_value()

    @intrinsic
    def kernel(  # noqa: ANN202
        typing, out, out_at, out_stride, a, outputs, inputs, x, x0, rows, samples,
        floor, y, y_at, y_stride,
    ):  # fmt: skip
        n = types.intp
        arguments = (out, n, n, a, n, n, x, n, rows, n, types.float32, y, n, n)
        return types.void(*arguments), emit

    return kernel


_tall_dense = _layer_kernel(False, _TALL, (2,))
_flat_dense = _layer_kernel(False, _FLAT, (4, 2))
_tall_masked = _layer_kernel(True, _TALL, (2,))
_flat_masked = _layer_kernel(True, _FLAT, (4, 2))


@inlined
def dense(
    out: Array,
    out_at: int,
    out_stride: int,
    a: Array,
    outputs: int,
    inputs: int,
    x: Array,
    x0: int,
    rows: Array,
    samples: int,
    floor: float,
) -> None:
    """Writes out; see the formulas above. a: [1 + inputs, outputs], row 0 the biases."""
    if outputs <= _FLAT[0]:
        _flat_dense(
            out, out_at, out_stride, a, outputs, inputs, x, x0, rows, samples, floor, out, 0, 0
        )  # fmt: skip
    else:
        _tall_dense(
            out, out_at, out_stride, a, outputs, inputs, x, x0, rows, samples, floor, out, 0, 0
        )  # fmt: skip


@inlined
def masked(
    out: Array,
    out_at: int,
    out_stride: int,
    a: Array,
    outputs: int,
    inputs: int,
    x: Array,
    x0: int,
    rows: Array,
    samples: int,
    y: Array,
    y_at: int,
    y_stride: int,
) -> None:
    """Writes out, which may be y itself; see the formulas above. a: [1 + inputs, outputs]."""
    floor = np.float32(0)
    if outputs <= _FLAT[0]:
        _flat_masked(
            out, out_at, out_stride, a, outputs, inputs, x, x0, rows, samples, floor, y, y_at,
            y_stride,
        )  # fmt: skip
    else:
        _tall_masked(
            out, out_at, out_stride, a, outputs, inputs, x, x0, rows, samples, floor, y, y_at,
            y_stride,
        )  # fmt: skip


@intrinsic
def _dots_kernel(typing, acc, d, d_at, d_stride, outputs, x, x0, rows, inputs, samples):
    def emit(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> ir.Value:
        e = Emitter(builder)
        acc, d, d_at, d_stride, outputs, x, x0, rows, inputs, samples = addresses(
            context, builder, signature, args
        )

        acc_stride = e.mul(inputs, LANES)

        def block(k0: ir.Value, width: int, m0: ir.Value, height: int) -> None:
            pairs = [(m, k) for m in range(height) for k in range(width)]
            places = [
                e.add(e.mul(acc_stride, e.add(m0, m)), e.mul(e.add(k0, k), LANES)) for m, k in pairs
            ]
            sums = e.slots([e.load(acc, place) for place in places])
            x_rows = [e.add(x0, e.scalar(rows, e.add(k0, k))) for k in range(width)]
            d_rows = [e.add(d_at, e.mul(d_stride, e.add(m0, m))) for m in range(height)]
            with e.loop(samples, LANES) as t:
                xs = [e.load(x, e.add(row, t)) for row in x_rows]
                ds = [e.load(d, e.add(row, t)) for row in d_rows]
                for slot, (m, k) in zip(sums, pairs, strict=True):
                    e.multiply_add(slot, ds[m], xs[k])
            for slot, place in zip(sums, places, strict=True):
                e.store(builder.load(slot), acc, place)

        def column(k0: ir.Value, width: int) -> None:
            e.in_blocks(outputs, _DOTS[width], lambda m0, height: block(k0, width, m0, height))

        e.in_blocks(inputs, tuple(_DOTS), column)
        return context.get_dummy_value()

    n = types.intp
    return types.void(acc, d, n, n, n, x, n, rows, n, n), emit


@inlined
def dots(
    acc: Array,
    d: Array,
    d_at: int,
    d_stride: int,
    outputs: int,
    x: Array,
    x0: int,
    rows: Array,
    inputs: int,
    samples: int,
) -> None:
    """Adds to acc; see the formulas above. acc: [outputs, inputs, LANES]."""
    _dots_kernel(acc, d, d_at, d_stride, outputs, x, x0, rows, inputs, samples)


@intrinsic
def part(typing, array, start, count):
    """View of elements start .. start + count of a flat array.

    Unlike a slice it is not reference-counted, and LLVM sees that its indices, counted from 0, are
    not negative, without which it would not vectorise a loop. The function that calls it gets
    vectors as wide as the processor's; LLVM's default for AVX-512 is half of that.
    """

    def emit(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> ir.Value:
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        kind = signature.return_type
        whole = context.make_array(kind)(context, builder, args[0])
        view = context.make_array(kind)(context, builder)
        arrayobj.populate_array(
            view,
            data=builder.gep(whole.data, [args[1]]),
            shape=[args[2]],
            strides=[whole.itemsize],
            itemsize=whole.itemsize,
            meminfo=None,
        )
        return view._getvalue()

    return array(array, types.intp, types.intp), emit


def zeros(count: int) -> np.ndarray:
    """[count] float32 zeros, aligned to a cache line."""
    raw = np.zeros(count + 16, np.float32)
    start = (-raw.ctypes.data // 4) % 16
    return raw[start : start + count]
