"""What was found out about a run, kept in its folder: a table, and a summary with its options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from medqnn.errors import RunError
from medqnn.training.folder import RunFolder, cannot_write


class Results(NamedTuple):
    """What was found out.

    Attributes:
        table: The CSV file's.
        summary: The JSON file's; under "options" what was asked.
    """

    table: pd.DataFrame
    summary: dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """Where they are kept, and how they are read back.

    Attributes:
        table: Name of the CSV file.
        summary: Name of the JSON file.
        columns: Columns without which the table is broken.
        text: Those of them that hold text, however much it looks like numbers.
        maker: The command that makes them, before the run's folder.
        keys: Entries without which the summary is broken.
    """

    table: str
    summary: str
    columns: Sequence[str]
    text: Sequence[str]
    maker: str
    keys: Sequence[str]

    def are_of(self, folder: RunFolder, options: dict[str, Any]) -> bool:
        """Whether the run has findings of just these options."""
        if not all((folder.path / name).is_file() for name in (self.table, self.summary)):
            return False
        found: dict[str, Any] = folder.read_json(self.summary)
        return found.get("options") == options

    def write(
        self,
        folder: RunFolder,
        table: pd.DataFrame,
        summary: dict[str, Any],
        options: dict[str, Any],
    ) -> None:
        """Write both; if that is cut off, no new table stands beside an old summary.

        Raises:
            RunError: If the folder cannot be written to.
        """
        try:
            (folder.path / self.summary).unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(folder.path, error) from error
        folder.write(self.table, lambda path: table.to_csv(path, index=False))
        folder.write_json(self.summary, summary | {"options": options})

    def read(self, folder: RunFolder) -> Results:
        """What `write` wrote.

        Raises:
            RunError: If one is missing or broken.
        """
        about = folder.read_json(self.summary)
        name = self.summary
        try:
            if not (isinstance(about, dict) and set(self.keys) <= about.keys()):
                raise ValueError(f"it has no {' and '.join(self.keys)}")
            name = self.table
            table = self._table(folder)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise RunError(
                f"{folder.path / name} is missing or broken ({reason}): make it again with "
                f"`{self.maker} {folder.path}`"
            ) from error
        return Results(table, about)

    def _table(self, folder: RunFolder) -> pd.DataFrame:
        text = dict.fromkeys(self.text, str)
        path = folder.path / self.table
        table = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])
        if missing := [column for column in self.columns if column not in table]:
            raise ValueError(f"no column {', '.join(missing)}")
        return table
