from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from medqnn.data import cache, code_hash, folders, medmnist
from medqnn.data.code_hash import modules_behind
from medqnn.data.phantom.table import phantom_table
from medqnn.data.scans import dicom_pixels


def behind(*names: str) -> set[str]:
    modules = modules_behind(frozenset(f"medqnn.data.{name}" for name in names))
    return {module.removeprefix("medqnn.data.") for module in modules}


def test_modules_behind_a_reader_are_what_it_imports_and_no_others() -> None:
    assert behind("folders") == {"attributes", "folders", "table"}
    assert behind("medmnist") == {"medmnist", "medmnist_classes", "npz_stream", "table"}
    assert {"phantom.atlas", "phantom.lesions", "table"} <= behind("phantom.table")
    assert {"prepare", "decoding", "table"} <= behind("cache")
    assert not {"auditing.audit", "folders", "medmnist", "phantom.table", "scans.dicom"} & behind(
        "cache"
    )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package's code that may be changed."""
    shutil.copytree(Path(code_hash.__file__).parent, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(code_hash, "__file__", str(tmp_path / "code_hash.py"))
    yield tmp_path
    forget()


def forget() -> None:
    for cached in (code_hash._hash, code_hash._imports):
        cached.cache_clear()


def hashed(*objects: object) -> str:
    forget()
    return code_hash.code_hash(*objects)


READERS = [
    (folders.read_image_files, "folders"),
    (medmnist.MedMNISTReader(), "npz_stream"),
    (partial(dicom_pixels.read_dicom_image, window="file"), "scans.dicom_codecs"),
    (phantom_table(images=8).read, "phantom.atlas"),
    ({"in": [folders.read_image_files]}, "folders"),
    (cache.decode, "prepare"),
]


@pytest.mark.parametrize(("reader", "module"), READERS, ids=[module for _, module in READERS])
def test_hash_changes_with_the_code_behind_and_with_no_other(
    package: Path, reader: object, module: str
) -> None:
    before = hashed(reader)
    assert hashed(reader) == before
    (package / "auditing" / "audit.py").write_text("changed")
    (package / "augment.py").unlink()
    assert hashed(reader) == before
    path = package.joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(path.read_text() + "\n# changed\n")
    assert hashed(reader) != before


def test_imports_within_functions_count(package: Path) -> None:
    (package / "one.py").write_text("def f():\n    import medqnn.data.two\n")
    (package / "two.py").write_text("if True:\n    from medqnn.data import one, three\n")
    (package / "three.py").write_text("import numpy\nimport medqnn.errors\n")
    assert behind("one") == {"one", "two", "three"}
