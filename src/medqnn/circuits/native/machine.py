"""Recorded code as functions of this process, made by LLVM for this processor."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from llvmlite import binding

from medqnn.circuits.native.code import Code


class Machine:
    """Machine code of everything that was recorded."""

    def __init__(self, code: Code) -> None:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        target = binding.Target.from_default_triple().create_target_machine(
            cpu=binding.get_host_cpu_name(),
            features=binding.get_host_cpu_features().flatten(),
            opt=2,
        )
        parsed = binding.parse_assembly(str(code.module))
        parsed.verify()
        tuning = binding.create_pipeline_tuning_options(2)
        tuning.loop_vectorization = tuning.loop_unrolling = False  # four times as long, no faster
        passes = binding.create_pass_builder(target, tuning)
        passes.getModulePassManager().run(parsed, passes)
        self._engine = binding.create_mcjit_compiler(parsed, target)
        self._engine.finalize_object()
        self._arguments = {f.name: len(f.args) for f in code.module.functions if f.blocks}

    def function(self, name: str) -> Callable[..., None]:
        """A function of int64s and addresses, all of them Python's integers.

        It releases Python's lock while it runs, and keeps its code in memory.
        """
        prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * self._arguments[name])
        address = self._engine.get_function_address(name)
        made: Callable[..., None] = prototype(address)
        made.machine = self  # type: ignore[attr-defined]  # the code lives as long as it
        return made
