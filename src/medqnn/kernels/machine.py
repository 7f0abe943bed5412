"""Recorded code as machine code, made by LLVM for this processor."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable

from llvmlite import binding

from medqnn.kernels.code import Code


class Machine:
    """Machine code in this process."""

    def __init__(self, code: Code) -> None:
        target = _target()
        self._engine = binding.create_mcjit_compiler(_optimised(code, target), target)
        self._engine.finalize_object()
        self._arguments = code.arguments()

    def function(self, name: str) -> Callable[..., None]:
        """A function of int64s and addresses, all of them Python's integers.

        It releases Python's lock while it runs, and keeps its code in memory.
        """
        prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * self._arguments[name])
        address = self._engine.get_function_address(name)
        made: Callable[..., None] = prototype(address)
        made.machine = self  # type: ignore[attr-defined]  # the code lives as long as it
        return made


def image(code: Code) -> bytes:
    """Machine code that runs wherever it lies, for x86-64 and ELF.

    Its first int64s say where in it each function begins, in the order of the record. All that LLVM
    writes goes into one section, so its assembler knows every distance and nothing is to be linked.

    Raises:
        RuntimeError: If something is.
    """
    target = _target(reloc="pic", codemodel="small")
    assembly = target.emit_assembly(_optimised(code, target))
    places = [f".quad {name} - .Limage" for name in code.arguments()]
    lines = [".text", ".Limage:", *places, *_ANY_SECTION.sub(".text", assembly).splitlines()]
    quoted = (line.replace("\\", "\\5C").replace('"', "\\22") for line in lines)
    binding.initialize_native_asmparser()
    module = binding.parse_assembly("\n".join(f'module asm "{line}"' for line in quoted))
    sections = binding.ObjectFileRef.from_data(target.emit_object(module)).sections()
    found = {section.name(): section.data() for section in sections}
    if b".rela.text" in found:
        raise RuntimeError("the machine code calls or reads something outside itself")
    return bytes(found[b".text"])


_ANY_SECTION = re.compile(r"^\s*\.section\b.*$", re.MULTILINE)


def _target(**options: str) -> binding.TargetMachine:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=2,
        **options,
    )


def _optimised(code: Code, target: binding.TargetMachine) -> binding.ModuleRef:
    parsed = binding.parse_assembly(str(code.module))
    parsed.verify()
    tuning = binding.create_pipeline_tuning_options(2)
    tuning.loop_vectorization = tuning.loop_unrolling = False  # four times as long, no faster
    passes = binding.create_pass_builder(target, tuning)
    passes.getModulePassManager().run(parsed, passes)
    return parsed
