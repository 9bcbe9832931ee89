"""numba's compiler for functions that only compiled code calls.

numba makes machine code of every function, and optimises it both alone and again in each of its
callers, which contain it. Here a function is left to its callers, which saves a third of what a
first run spends on compiling.
"""

from __future__ import annotations

from collections.abc import Callable

from numba import _dynfunc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, PassManager, register_pass
from numba.core.typed_passes import NativeLowering


class _Part(JITCodeLibrary):
    """LLVM's code of a function and what it calls, which never becomes machine code itself."""

    def _finalize_final_module(self) -> None:
        self._finalized = True


class _RawPart(_Part):
    """The same, not even optimised."""

    def _optimize_functions(self, module: object) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass


@register_pass(mutates_CFG=False, analysis_only=False)
class _OfferToCallers(LoweringPass):
    """What lowering does at its end with machine code, without any."""

    _name = "offer_to_callers"

    def __init__(self) -> None:  # the class of numba demands one
        super().__init__()

    def run_pass(self, state: object) -> bool:
        lowered = state.cr
        about = lowered.fndesc
        entry = _dynfunc.make_function(
            about.lookup_module(), about.qualname, "", 0, lowered.env, (state.library,)
        )
        state.cr = lowered._replace(cfunc=entry)
        state.targetctx.insert_user_function(entry, about, [state.library])
        return True


class PartCompiler(CompilerBase):
    """For `numba.njit(pipeline_class=...)`: functions whose loops are best optimised alone.

    Their code cannot be called from Python and not be kept by a cache.
    """

    _library = _Part

    def compile_extra(self, function: Callable) -> object:
        codegen = self.state.targetctx.codegen()
        self.state.library = self._library(codegen, function.__qualname__)
        self.state.flags.no_compile = True
        return super().compile_extra(function)

    def define_pipelines(self) -> list[PassManager]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_OfferToCallers, NativeLowering)
        passes.finalize()
        return [passes]


class RawPartCompiler(PartCompiler):
    """The same for functions that are optimised only within their callers."""

    _library = _RawPart
