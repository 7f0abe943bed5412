from __future__ import annotations

from pathlib import Path

import pytest

from medqnn.data.scans.label_table import Facts, read_labels
from medqnn.errors import DataError

ALL = ("image", "file", "series", "patient")


def write(folder: Path, text: str, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_finest_key_counts_and_a_patient_beside_it_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "PatientID,Series UID,Age,label,split,fold\nP1,1.2,40,glioma,train,3\n")
    table = read_labels(path, ALL)
    assert (table.level, table.column) == ("series", "Series UID")
    facts = Facts("glioma", "P1", "train", 3, (("attribute:age", "40"),))
    assert table.of(series="1.2", patient="P1") == facts
    assert table.of(series=" 1.2 ") == facts
    assert table.of(patient="P1") is None


def test_only_the_levels_asked_for_are_keys(tmp_path: Path) -> None:
    path = write(tmp_path, "file,subject,label\na.nii,S1,x\n")
    assert read_labels(path, ("image", "series", "patient")).level == "patient"


@pytest.mark.parametrize(
    ("column", "level"),
    [
        ("SOPInstanceUID", "image"),
        ("sop instance uid", "image"),
        ("File", "file"),
        ("Image Data ID", "file"),
        ("Series Instance UID", "series"),
        ("patient_id", "patient"),
        ("Subject ID", "patient"),
        ("participant_id", "patient"),
    ],
)
def test_columns_are_known_by_several_spellings(tmp_path: Path, column: str, level: str) -> None:
    path = write(tmp_path, f"{column},Label\nk,x\n")
    assert read_labels(path, ALL).of(**{level: "k"}) == Facts(
        "x", "k" if level == "patient" else None, None, None
    )


def test_tabs_other_label_column_and_missing_as_bids_writes_it(tmp_path: Path) -> None:
    text = "participant_id\tage\tdiagnosis\nsub-1\t30\tAD\nsub-2\tn/a\tn/a\n"
    table = read_labels(write(tmp_path, text, "participants.tsv"), ("patient",), "diagnosis")
    assert table.of(patient="sub-1").label == "AD"
    assert table.of(patient="sub-2").label is None


def test_names_of_missing_values_are_labels_in_csv(tmp_path: Path) -> None:
    table = read_labels(write(tmp_path, "file,label\na,None\nb,NA\nc,\n,\n"), ALL)
    assert [table.of(file=key).label for key in "abc"] == ["None", "NA", None]


def test_short_rows_are_empty_at_their_end(tmp_path: Path) -> None:
    assert read_labels(write(tmp_path, "file,label,fold\na,x\n"), ALL).of(file="a").fold is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot read"),
        ("file,label\n", "0 rows and the columns file, label"),
        ("name,label\na,x\n", "a column SOPInstanceUID or file or SeriesInstanceUID or PatientID"),
        ("file,group\na,x\n", "a column label"),
        ("file,label\n,x\n", "line 2: nothing says which file"),
        ("file,label\na,x\n\na,y\n", "line 4: the same file stands above"),
        ("file,label,split\na,x,training\n", "line 2: the split is 'training': use train"),
        ("file,label,fold\na,x,one\n", "line 2: the fold is 'one'"),
        ('file,label\n"a,x\n', r"\(not a table\)"),
    ],
)
def test_faults_are_named_by_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=rf"labels\.csv.*{message}|{message}.*labels\.csv"):
        read_labels(write(tmp_path, text), ALL)


def test_same_row_twice_is_one(tmp_path: Path) -> None:
    assert read_labels(write(tmp_path, "file,label\na,x\na,x\n"), ALL).of(file="a").label == "x"


def test_contradiction_does_not_repeat_the_patient(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_labels(write(tmp_path, "PatientID,label\nQX-4711,x\nQX-4711,y\n"), ALL)
    assert "4711" not in str(caught.value)


def test_table_in_another_encoding_or_gone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("file,label\na,Größe\n".encode("utf-16"))
    with pytest.raises(DataError, match="save it as UTF-8"):
        read_labels(tmp_path / "labels.csv", ALL)
    with pytest.raises(DataError, match="No such file"):
        read_labels(tmp_path / "gone.csv", ALL)


def test_first_spelling_counts_where_two_columns_say_who(tmp_path: Path) -> None:
    table = read_labels(write(tmp_path, "subject,PatientID,label\nS,P,x\n"), ALL)
    assert (table.column, table.of(patient="P").patient) == ("PatientID", "P")


def test_attributes_are_taken_by_name_or_mark_and_nothing_else_is(tmp_path: Path) -> None:
    text = "PatientID,Patient Name,Sex,attribute: Field,Birth Date,x\nP1,Roe,F,3T,1970,a\n"
    facts = read_labels(write(tmp_path, text), ("patient",), "x").of(patient="P1")
    assert facts.attributes == (("attribute:sex", "F"), ("attribute:field", "3T"))


def test_what_the_label_is_taken_from_is_no_attribute(tmp_path: Path) -> None:
    path = write(tmp_path, "PatientID,sex\nP1,F\n")
    assert read_labels(path, ("patient",), "sex").of(patient="P1") == Facts("F", "P1", None, None)


def test_an_attribute_on_which_visits_differ_is_left_out(tmp_path: Path) -> None:
    text = "PatientID,label,Sex,Age\nP1,x,F,60\nP1,x,F,61\nP1,x,F,60\nP2,x,,50\n"
    table = read_labels(write(tmp_path, text), ("patient",))
    assert table.of(patient="P1").attributes == (("attribute:sex", "F"),)
    assert table.of(patient="P2").attributes == (("attribute:age", "50"),)
