from __future__ import annotations

from training.tiny import tiny_run

__all__ = ["tiny_run"]
