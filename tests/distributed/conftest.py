from __future__ import annotations

from study.tiny import tiny_data, tiny_study

__all__ = ["tiny_data", "tiny_study"]
