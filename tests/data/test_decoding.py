from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

from medqnn.data.decoding import Form, Skipped, colour_channels, decode_rows
from medqnn.data.scans.scan_files import BadFileError
from medqnn.data.table import ImageTable, Sample
from medqnn.errors import DataError

FORM = Form(4, 1, "min-max")


def table(count: int, read: object) -> ImageTable:
    ids = [f"i{number}" for number in range(count)]
    columns = {"source": "made", "label": "x", "mask": None, "split": None, "fold": None}
    rows = pd.DataFrame({"id": ids, "patient": ids} | columns)
    return ImageTable("made", rows, ("x",), read)


def ramp(row: pd.Series) -> Sample:
    image = np.zeros((4, 4))
    image[0, 0] = int(row["id"][1:])
    image[3, 3] = 1000
    return Sample(image, None)


def test_rows_come_in_order_however_many_threads() -> None:
    values = [one.image[0, 0, 0] for one in decode_rows(table(500, ramp), FORM)]
    assert values == [round(number * 255 / 1000) for number in range(500)]


def test_few_rows_are_read_ahead() -> None:
    read: list[str] = []

    def note(row: pd.Series) -> Sample:
        read.append(row["id"])
        return ramp(row)

    rows = decode_rows(table(1000, note), FORM)
    for _ in range(3):
        next(rows)
    assert len(read) <= 1 + 128
    rows.close()


def test_first_row_is_read_before_any_other() -> None:
    names: list[str] = []

    def note(row: pd.Series) -> Sample:
        names.append(threading.current_thread().name)
        return ramp(row)

    list(decode_rows(table(20, note), FORM))
    assert names[0] == threading.current_thread().name
    assert threading.current_thread().name not in names[1:]


def faulty(row: pd.Series) -> Sample:
    if row["id"] == "i1":
        raise BadFileError("/scans/Anna Muster/1.dcm", "is truncated")
    if row["id"] == "i2":
        return Sample(np.full((4, 4), np.nan), None)
    return ramp(row)


def test_reason_of_a_skipped_scan_names_no_file_whose_path_may_name_a_person() -> None:
    found = [one for one in decode_rows(table(4, faulty), FORM, True) if isinstance(one, Skipped)]
    assert found[0] == Skipped("i1", "is truncated", "i1")
    assert found[1].id == "i2"
    assert "not finite" in found[1].reason


def test_first_fault_is_raised_unless_skipped() -> None:
    with pytest.raises(DataError, match=r"1\.dcm: is truncated; --skip-bad leaves out"):
        list(decode_rows(table(4, faulty), FORM))


def test_colours_are_judged_by_the_first_image_that_can_be_read() -> None:
    def read(row: pd.Series) -> Sample:
        if row["id"] == "i0":
            raise DataError("cannot read i0")
        return Sample(np.zeros((4, 4, 3)), None)

    assert colour_channels(table(3, ramp)) == 1
    assert colour_channels(table(3, read), skip_bad=True) == 3
    with pytest.raises(DataError, match="cannot read i0"):
        colour_channels(table(3, read))
    with pytest.raises(DataError, match="none of its 1 images can be read"):
        colour_channels(table(1, read), skip_bad=True)
