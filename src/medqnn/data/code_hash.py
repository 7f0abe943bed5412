"""The code that decides what an object of this package does, as one hash."""

from __future__ import annotations

import ast
import hashlib
import pickle
import pickletools
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = "medqnn.data"


def code_hash(*objects: Any) -> str:
    """SHA-256 of the modules that objects come from and of what these import from this package.

    Args:
        objects: functions, classes or instances, whatever they hold included; picklable.
    """
    words = {word for _, word, _ in pickletools.genops(pickle.dumps(objects))}
    return _hash(frozenset(word for word in words if isinstance(word, str) and _is_module(word)))


def modules_behind(modules: frozenset[str]) -> frozenset[str]:
    """The modules of this package and all that they import from it, also within functions."""
    behind, waiting = set[str](), set(modules)
    while waiting:
        module = waiting.pop()
        behind.add(module)
        waiting |= _imports(module) - behind
    return frozenset(behind)


@cache
def _hash(modules: frozenset[str]) -> str:
    digest = hashlib.sha256()
    for module in sorted(modules_behind(modules)):
        digest.update(module.encode() + _file(module).read_bytes())
    return digest.hexdigest()


@cache
def _imports(module: str) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse(_file(module).read_bytes())):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(name for name in names if name and _is_module(name))


def _is_module(name: str) -> bool:
    inside = name.startswith(f"{_PACKAGE}.") and all(
        part.isidentifier() for part in name.split(".")
    )
    return inside and _file(name).is_file()


def _file(module: str) -> Path:
    return Path(__file__).parent.joinpath(*module.split(".")[2:]).with_suffix(".py")
