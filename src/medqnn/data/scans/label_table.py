"""Labels of scans from a table beside them: `labels.csv`, or a study's own list.

One column says what a row is about: an image (`SOPInstanceUID`), a series (`SeriesInstanceUID`), a
file (`file`) or a patient (`PatientID`, `subject` or `participant_id`); where there are several,
the finest counts, and a patient beside it says whose the image is. Another column holds the label;
an empty label leaves the images out on purpose. `split`, `fold` and attributes (see `attributes`)
may stand beside it. Any other columns are ignored, so that a clinical table can be used as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

import pandas as pd

from medqnn.data.attributes import attribute_columns
from medqnn.data.scans.scan_files import printable
from medqnn.data.table import SPLITS
from medqnn.errors import DataError

LABELS = "labels.csv"
_LEVELS = {  # from the finest; names of columns without case and punctuation
    "image": ("sopinstanceuid",),
    "file": ("file", "filename", "imagedataid"),
    "series": ("seriesinstanceuid", "seriesuid"),
    "patient": ("patientid", "patient", "subject", "subjectid", "participantid"),
}


class Facts(NamedTuple):
    """What a label table says of an image; `label` is None where it is to be left out.

    The attributes are pairs of a column of the image table's rows and its cell.
    """

    label: str | None
    patient: str | None
    split: str | None
    fold: int | None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LabelTable:
    """Labels by image, file, series or patient.

    Attributes:
        name: file name, for messages.
        level: what a row is about: "image", "file", "series" or "patient".
        column: the column that says so, as the file writes it.
        facts: by the column's values.
    """

    name: str
    level: str
    column: str
    facts: dict[str, Facts]

    def of(self, **keys: str) -> Facts | None:
        """The facts of an image with these keys (level=value); None if it is not listed."""
        return self.facts.get(keys.get(self.level, "").strip())


def read_labels(path: str | Path, levels: tuple[str, ...], label: str = "label") -> LabelTable:
    """Read a label table, by tabs if its name ends in .tsv.

    Args:
        path: the table, UTF-8 text.
        levels: what the reader can match: some of "image", "file", "series", "patient".
        label: the column of the labels.

    Raises:
        DataError: A table that cannot be read, without the columns, without any row, or with rows
            that contradict each other in more than an attribute (which is left out where they
            do). Messages name rows, not patients.
    """
    path = Path(path)
    table = _read_text(path)
    plain = {_plain(name): str(name) for name in table}
    names = {
        level: plain[name]
        for level, understood in _LEVELS.items()
        for name in reversed(understood)
        if level in (*levels, "patient") and name in plain
    }
    names |= {name: plain[name] for name in ("split", "fold") if name in plain}
    level = next((level for level in _LEVELS if level in levels and level in names), None)
    if level is None or _plain(label) not in plain or table.empty:
        _refuse_columns(path, table, levels, label)
    names["label"] = plain[_plain(label)]
    others = attribute_columns([c for c in table if c not in names.values()], path.name)
    facts: dict[str, Facts] = {}
    for line, cells in enumerate(table.to_dict("records"), start=2):
        row = {name: cells[column] or None for name, column in names.items()}
        if any(row.values()):
            own = tuple((name, cells[column]) for column, name in others.items() if cells[column])
            _add(facts, row, own, level, f"{printable(path)}, line {line}")
    return LabelTable(path.name, level, names[level], facts)


def _plain(column: object) -> str:
    """A column's name without case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", str(column)).lower()


def _add(
    facts: dict[str, Facts],
    row: dict[str, str | None],
    attributes: tuple[tuple[str, str], ...],
    level: str,
    where: str,
) -> None:
    """Add what a row says; `where` names the row in messages."""
    key, split, fold = row[level], row.get("split"), row.get("fold")
    if key is None:
        raise DataError(f"{where}: nothing says which {level} it is about: fill in that column")
    if split is not None and split not in SPLITS:
        raise DataError(f"{where}: the split is {split!r}: use {', '.join(SPLITS)}")
    if fold is not None and not re.fullmatch(r"\d{1,9}", fold):
        raise DataError(f"{where}: the fold is {fold!r}: give a whole number")
    said = Facts(row["label"], row.get("patient"), split, None if fold is None else int(fold))
    held = facts.setdefault(key, said._replace(attributes=attributes))
    if held._replace(attributes=()) != said:
        raise DataError(f"{where}: the same {level} stands above with other values: keep one")
    # A visit's age may differ from the next one's, and is then none of the patient's.
    agreed = tuple(one for one in held.attributes if one in attributes)
    facts[key] = held._replace(attributes=agreed)


def _read_text(path: Path) -> pd.DataFrame:
    try:
        # Only an empty cell is missing: "None" and "NA" are possible class names.
        table = pd.read_csv(
            path,
            sep="\t" if path.suffix.lower() == ".tsv" else ",",
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,  # so that lines keep their numbers
            encoding="utf-8-sig",
        )
    except (ValueError, OSError) as error:  # pandas' parser errors and bad encodings included
        fault = error.strerror if isinstance(error, OSError) else "not a table"
        raise DataError(
            f"cannot read {printable(path)} ({fault}): save it as UTF-8 text, .csv with commas or "
            ".tsv with tabs"
        ) from error
    empty = "n/a" if path.suffix.lower() == ".tsv" else ""  # as BIDS writes it
    return table.fillna("").map(str.strip).replace(empty, "")


def _refuse_columns(
    path: Path, table: pd.DataFrame, levels: tuple[str, ...], label: str
) -> NoReturn:
    wanted = {"image": "SOPInstanceUID", "file": "file", "series": "SeriesInstanceUID"}
    keys = " or ".join(wanted.get(level, "PatientID or subject") for level in levels)
    given = ", ".join(map(str, table.columns)) or "none"
    raise DataError(
        f"{printable(path)} has {len(table)} rows and the columns {printable(given)}: expected at "
        f"least one row, a column {keys}, and a column {label} (choose another as label column)"
    )
