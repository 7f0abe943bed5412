from __future__ import annotations

import stat
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from medqnn.data.scans import pseudonyms
from medqnn.data.scans.pseudonyms import namer
from medqnn.errors import DataError


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MEDQNN_SALT", raising=False)
    monkeypatch.setattr(pseudonyms, "user_config_dir", lambda name: str(tmp_path / name))
    return tmp_path / "medqnn"


def test_same_salt_gives_the_same_name_and_another_another(monkeypatch) -> None:
    monkeypatch.setenv("MEDQNN_SALT", "a secret of the ward")
    name = namer()("patient", "QX-4711")
    assert name == namer()("patient", "QX-4711")
    assert len(name) == 16
    assert "4711" not in name
    monkeypatch.setenv("MEDQNN_SALT", "a secret of the lab!")
    assert namer()("patient", "QX-4711") != name


def test_known_value(monkeypatch) -> None:
    """So that a change of the scheme, which would rename everybody's patients, is noticed."""
    monkeypatch.setenv("MEDQNN_SALT", "a secret of the ward")
    # printf 'patient:QX-4711' | openssl dgst -sha256 -hmac 'a secret of the ward'
    assert namer()("patient", "QX-4711") == "7916e0143e5fe0ad"


def test_kinds_do_not_mix(monkeypatch) -> None:
    assert namer()("patient", "1") != namer()("study", "1")


def test_plain_names_are_the_texts() -> None:
    assert namer(plain=True)("patient", "QX-4711") == "QX-4711"


def test_salt_is_made_once_and_for_the_user_alone(config: Path) -> None:
    name = namer()("patient", "1")
    assert namer()("patient", "1") == name
    salt = config / "salt"
    assert len(bytes.fromhex(salt.read_text())) == 32
    if sys.platform != "win32":
        assert stat.S_IMODE(salt.stat().st_mode) == 0o600
    salt.unlink()
    assert namer()("patient", "1") != name


def _salt(folder: str) -> bytes:
    return pseudonyms._kept_salt(Path(folder) / "salt")


def test_processes_that_start_together_agree(config: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        assert len(set(pool.map(_salt, [str(config)] * 8))) == 1


def test_undecodable_name_is_taken(monkeypatch) -> None:
    assert len(namer()("image", "caf\udce9.nii")) == 16


def test_short_damaged_and_cut_salts_are_refused(config: Path, monkeypatch) -> None:
    monkeypatch.setenv("MEDQNN_SALT", "short")
    with pytest.raises(DataError, match="MEDQNN_SALT has 5 characters"):
        namer()
    monkeypatch.delenv("MEDQNN_SALT")
    config.mkdir()
    (config / "salt").write_text("no hexadecimal")
    with pytest.raises(DataError, match="salt is damaged"):
        namer()
    (config / "salt").write_text("ab12")
    with pytest.raises(DataError, match="salt is cut off"):
        namer()


def test_folder_that_cannot_be_made_is_named(config: Path) -> None:
    config.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot keep the salt .*MEDQNN_SALT"):
        namer()
