"""The public data sets that can be fetched: where their files are, and how these are known.

MedMNIST: addresses, MD5 sums and licences of medmnist/info.py, version 3.0.2, of
https://github.com/MedMNIST/MedMNIST; the files are those of doi:10.5281/zenodo.10519652.

Cheng 2015 (doi:10.6084/m9.figshare.1512427): numbers and sizes of the files as figshare lists them.
It names no checksums where we could read them; the SHA-256 of the four archives are those that
torch-em (https://github.com/computational-cell-analytics/torch-em) compares its downloads with. Of
`cvind.mat` only the size is known.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import NamedTuple

from medqnn.data.fetching.remote_file import RemoteFile
from medqnn.errors import DataError

CHENG = "cheng2015"
SIZES = (28, 64, 128, 224)  # pixels of MedMNIST's images; 28 is not in a file's name


class PublicSet(NamedTuple):
    """A data set that its authors publish.

    Attributes:
        name: what it is called here, and its file or folder.
        about: title, licence and source, in words.
        page: where a person can download it.
        files: what it consists of.
        system: the published system to try on it.
    """

    name: str
    about: str
    page: str
    files: tuple[RemoteFile, ...]
    system: str


def names() -> list[str]:
    """Names of all sets, MedMNIST's at their smallest size."""
    return [CHENG, *_MEDMNIST_MD5]


def public_set(name: str) -> PublicSet:
    """Find a set by its name, such as `cheng2015`, `pathmnist` or `pathmnist_64`.

    Raises:
        DataError: No such set, with a list of what there is.
    """
    if name == CHENG:
        return _CHENG_2015
    sums = {
        _sized(base, size): md5
        for base, md5s in _MEDMNIST_MD5.items()
        for size, md5 in zip(SIZES, md5s, strict=True)
    }
    if name not in sums:
        close = get_close_matches(name, [CHENG, *sums], n=1)
        mend = f" (did you mean {close[0]}?)" if close else ""
        raise DataError(
            f"no public data set is called {name!r}{mend}: give one of {', '.join(names())}, "
            "those of MedMNIST also with _64, _128 or _224 behind the name for larger images"
        )
    base, _, size = name.partition("_")
    licence = "CC BY-NC 4.0" if base == "dermamnist" else "CC BY 4.0"
    file = RemoteFile(f"{name}.npz", f"{_ZENODO}/{name}.npz?download=1", f"md5:{sums[name]}")
    about = f"{base} of MedMNIST, {size or SIZES[0]} pixels, {licence}, doi:10.5281/zenodo.10519652"
    return PublicSet(name, about, "https://zenodo.org/records/10519652", (file,), "hqcnn-medmnist")


def _sized(base: str, size: int) -> str:
    return base if size == SIZES[0] else f"{base}_{size}"


def _cheng_file(name: str, number: int, size: int, checksum: str | None = None) -> RemoteFile:
    # figshare.com/ndownloader is refused to programs; this address is not.
    return RemoteFile(name, f"https://ndownloader.figshare.com/files/{number}", checksum, size)


_CHENG_2015 = PublicSet(
    CHENG,
    "brain tumour set of Cheng and others (2015), CC BY 4.0, doi:10.6084/m9.figshare.1512427",
    "https://figshare.com/articles/dataset/brain_tumor_dataset/1512427",
    (
        _cheng_file(
            "brainTumorDataPublic_1-766.zip",
            3381290,
            214401279,
            "sha256:cdac0a7f4152cb34dd79b13543da96c37a6928ad8cb823e2662150b1a73ade54",
        ),
        _cheng_file(
            "brainTumorDataPublic_767-1532.zip",
            3381296,
            217848429,
            "sha256:d18e896d14f7af791cdd3d9b9342f9f974742a06132effde5a5219209862b4ce",
        ),
        _cheng_file(
            "brainTumorDataPublic_1533-2298.zip",
            3381293,
            215563856,
            "sha256:612d9f506c55c54db5f2f38b6d50741ef97a6d7c32b3e1be76e789674a97aefb",
        ),
        _cheng_file(
            "brainTumorDataPublic_2299-3064.zip",
            3381302,
            231679762,
            "sha256:9a673c55d139133cfbc57097bf155b5ac9f33684ee97f40bf2afba332d416a3a",
        ),
        _cheng_file("cvind.mat", 7005344, 5736),
    ),
    "hqcm-ebtc",
)

_ZENODO = "https://zenodo.org/records/10519652/files"
_MEDMNIST_MD5 = {  # of the files of 28, 64, 128 and 224 pixels
    "pathmnist": (
        "a8b06965200029087d5bd730944a56c1",
        "55aa9c1e0525abe5a6b9d8343a507616",
        "ac42d08fb904d92c244187169d1fd1d9",
        "2c51a510bcdc9cf8ddb2af93af1eadec",
    ),
    "chestmnist": (
        "02c8a6516a18b556561a56cbdd36c4a8",
        "9de6cd0b934ebb5b7426cfba5efbae16",
        "db107e5590b27930b62dbaf558aebee3",
        "45bd33e6f06c3e8cdb481c74a89152aa",
    ),
    "dermamnist": (
        "0744692d530f8e62ec473284d019b0c7",
        "b70a2f5635c6199aeaa28c31d7202e1f",
        "2defd784463fa5243564e855ed717de1",
        "8974907d8e169bef5f5b96bc506ae45d",
    ),
    "octmnist": (
        "c68d92d5b585d8d81f7112f81e2d0842",
        "e229e9440236b774d9f0dfef9d07bdaf",
        "0a97e76651ace45c5d943ee3f65b63ae",
        "abc493b6d529d5de7569faaef2773ba3",
    ),
    "pneumoniamnist": (
        "28209eda62fecd6e6a2d98b1501bb15f",
        "8f4eceb4ccffa70c672198ea285246c6",
        "05b46931834c231683c68f40c47b2971",
        "d6a3c71de1b945ea11211b03746c1fe1",
    ),
    "retinamnist": (
        "bd4c0672f1bba3e3a89f0e4e876791e4",
        "afda852cc34dcda56f86ad2b2457dbcc",
        "e48e916a24454daf90583d4e6efb1a18",
        "eae7e3b6f3fcbda4ae613ebdcbe35348",
    ),
    "breastmnist": (
        "750601b1f35ba3300ea97c75c52ff8f6",
        "742edef2a1fd1524b2efff4bd7ba9364",
        "363e4b3f8d712e9b5de15470a2aaadf1",
        "b56378a6eefa9fed602bb16d192d4c8b",
    ),
    "bloodmnist": (
        "7053d0359d879ad8a5505303e11de1dc",
        "2b94928a2ae4916078ca51e05b6b800b",
        "adace1e0ed228fccda1f39692059dd4c",
        "b718ff6835fcbdb22ba9eacccd7b2601",
    ),
    "tissuemnist": (
        "ebe78ee8b05294063de985d821c1c34b",
        "123ece2eba09d0aa5d698fda57103344",
        "61b955355d7425a89687b06cca3ce0c2",
        "b077128c4a949f0a4eb01517f9037b9c",
    ),
    "organamnist": (
        "68e3f8846a6bd62f0c9bf841c0d9eacc",
        "2dcccc29b88e6da5a01161ef20cda288",
        "eeae80d0a227a8d099027e1b3cfd3b60",
        "50747347e05c87dd3aaf92c49f9f3170",
    ),
    "organcmnist": (
        "b9ceb9546e10131b32923c5bbeaea2b1",
        "3ce34a8724ea6f548e6db4744d03b6a9",
        "773c1f009daa3fe5d9a2a201b2a7ed94",
        "050f5e875dc056f6768abf94ec9995d1",
    ),
    "organsmnist": (
        "9ab87b696fb54e2a387ebe992d6ed5f1",
        "53a6d115339d874c25e309a994ff46d3",
        "ded0c5fa01a95dc4978b956f613e9b8e",
        "b354719e553fbbb2513d5533f52a4cb1",
    ),
}
