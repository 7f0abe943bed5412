"""What has come so far of a file that is being fetched.

The bytes stand in `NAME.part`; `NAME.part.json` says which version of the file they are of.
"""

from __future__ import annotations

import json
import os
from pathlib import Path


class PartialFile:
    """The bytes that have come of a file, and of which version of it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._about = target.with_name(f"{target.name}.part.json")

    @property
    def held(self) -> int:
        """Bytes that have come."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self) -> tuple[str | None, int | None]:
        """By what the server knows this version, and its bytes in all, as far as known."""
        try:
            about = json.loads(self._about.read_text(encoding="utf-8"))
            return about["validator"], about["total"]
        except (OSError, ValueError, KeyError, TypeError):
            return None, None

    def begin(self, validator: str | None, total: int | None) -> None:
        """Drop what there is; of this version comes what follows."""
        self.path.write_bytes(b"")
        about = {"validator": validator, "total": total}
        self._about.write_text(json.dumps(about), encoding="utf-8")

    def drop(self) -> None:
        """Forget all that has come."""
        for path in (self.path, self._about):
            path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Put the file in its place."""
        os.replace(self.path, self.target)
        self.drop()
