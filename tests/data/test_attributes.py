from __future__ import annotations

import pandas as pd
import pytest

from medqnn.data.attributes import attribute_columns, attributes
from medqnn.errors import DataError


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("sex", "sex"),
        ("Sex", "sex"),
        ("Field_Strength", "field_strength"),
        ("attribute:scanner name", "scanner name"),
        ("Attribute: Slice Thickness", "slice thickness"),
    ],
)
def test_known_and_marked_columns_are_attributes(title: str, name: str) -> None:
    assert attribute_columns([title], "t") == {title: f"attribute:{name}"}


@pytest.mark.parametrize("title", ["paitent", "name", "PatientName", "PatientBirthDate", "notes"])
def test_other_columns_are_none(title: str) -> None:
    assert attribute_columns([title], "t") == {}


@pytest.mark.parametrize(
    "name", ["Name", "patient_name", "PatientsName", "Last name", "birth date", "DOB", "E-mail"]
)
def test_what_names_a_person_is_refused_though_marked(name: str) -> None:
    with pytest.raises(DataError, match=r"t\.csv.*personal data"):
        attribute_columns([f"attribute:{name}"], "t.csv")


@pytest.mark.parametrize("titles", [["sex", "attribute:Sex"], ["attribute:"], ["attribute: _"]])
def test_every_attribute_needs_a_name_of_its_own(titles: list[str]) -> None:
    with pytest.raises(DataError, match="needs a name"):
        attribute_columns(titles, "t")


def test_attributes_of_rows_are_named_without_the_mark() -> None:
    rows = pd.DataFrame({"id": ["a"], "attribute:sex": ["F"], "series": [1]}, index=[4])
    pd.testing.assert_frame_equal(attributes(rows), pd.DataFrame({"sex": ["F"]}, index=[4]))
