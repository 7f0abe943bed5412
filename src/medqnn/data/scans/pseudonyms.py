"""Names that stand for patients, images and files, so that the real ones stay where they are.

A pseudonym is a keyed hash (HMAC-SHA256, its first 64 bits). The key, called salt, is the text in
`MEDQNN_SALT`, or 32 random bytes that are made once for each user and kept in the user's
configuration folder, readable by that user alone. The same user gets the same pseudonyms every
time and for every data set; nobody without the salt can try out patient numbers, few as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from filelock import FileLock
from platformdirs import user_config_dir

from medqnn.errors import DataError

Namer = Callable[[str, str], str]

_SHORTEST_SALT = 16  # characters: what a person may choose without inviting a guess
_DIGITS = 16  # hexadecimal; among a million names two agree with a chance of 3 in 10⁸


def namer(plain: bool = False) -> Namer:
    """Give the function that names things: kind ("patient", "image" …) and text -> name.

    Args:
        plain: leave the texts as they are.

    Raises:
        DataError: A salt that is too short, or one that cannot be read or kept.
    """
    if plain:
        return lambda kind, text: text
    salt = _salt()

    @lru_cache(maxsize=4096)  # the images of a patient follow each other
    def pseudonym(kind: str, text: str) -> str:
        message = f"{kind}:{text}".encode("utf-8", "surrogateescape")
        return hmac.new(salt, message, hashlib.sha256).hexdigest()[:_DIGITS]

    return pseudonym


def _salt() -> bytes:
    given = os.environ.get("MEDQNN_SALT")
    if given is None:
        return _kept_salt(Path(user_config_dir("medqnn")) / "salt")
    if len(given) < _SHORTEST_SALT:
        raise DataError(
            f"MEDQNN_SALT has {len(given)} characters: give at least {_SHORTEST_SALT} that nobody "
            "can guess, or unset it to have a random salt made and kept"
        )
    return given.encode()


def _kept_salt(path: Path) -> bytes:
    """The user's salt, made at the first call."""
    try:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock"):
                if not path.is_file():  # another process may have made it meanwhile
                    _write_secret(path)
        salt = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise DataError(
            f"cannot keep the salt of the patient pseudonyms in {path} ({error.strerror}): make "
            "the folder writable, or set MEDQNN_SALT to a secret text"
        ) from error
    except ValueError as error:
        raise DataError(
            f"{path} is damaged: restore it, or remove it to have another salt made (patients get "
            "other pseudonyms then)"
        ) from error
    if len(salt) < _SHORTEST_SALT:
        raise DataError(f"{path} is cut off: restore it, or remove it to have another salt made")
    return salt


def _write_secret(path: Path) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)  # a killed process left it
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    os.replace(part, path)
