"""Two processes of torchrun end where one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from distributed.cases import SGD, TRAINED, batch, losses, train, whole_batch
from medqnn.training.folder import RunFolder
from medqnn.training.plan import start
from medqnn.training.recipe import load
from medqnn.training.run import proceed
from training.tiny import (
    MEDQNN,
    SMALL,
    options,
    read_index,
    write_folder,
    write_index,
    write_medmnist,
)

HERE = Path(__file__).parent
TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc-per-node=2"]
CLOSE = {"rtol": 1e-5, "atol": 1e-5}  # float32, summed in another order
SETS = (*SMALL, *SGD, "training.batch_size=7", "training.epochs=6", "variants=[hybrid, none]")


def torchrun(*words: object) -> subprocess.Popen[str]:
    """Two processes."""
    own = {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "PYTHONPATH": str(HERE.parent)}
    return subprocess.Popen(
        [*TORCHRUN, *map(str, words)],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares, fewer of healthy than of glioma, and findings."""
    root = tmp_path_factory.mktemp("data")
    index = read_index(write_folder(root / "squares"))
    more = (index["label"] == "healthy") & (index.groupby("label").cumcount() >= 10)
    write_index(root / "squares", index[~more])
    write_medmnist(root / "findings.npz", findings=3)
    return root


@pytest.fixture(scope="module")
def two(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``cases.py`` left."""
    out = tmp_path_factory.mktemp("two")
    process = torchrun(HERE / "cases.py", data, out)
    printed = process.communicate(timeout=180)
    assert process.returncode == 0, printed
    assert printed == ("", "")
    return out


def said(two: Path, what: str) -> list:
    return [json.loads((two / f"{number}.json").read_text())[what] for number in (0, 1)]


def test_processes_agree(two: Path) -> None:
    one, other = said(two, "agreement")
    assert [one.pop("first"), other.pop("first")] == ["0", "0"]
    assert [one.pop("first fails"), other.pop("first fails")] == [
        "DataError spoilt",
        "FailedElsewhereError ",
    ]
    assert [one.pop("first of all fails"), other.pop("first of all fails")] == [
        "DataError spoilt",
        "FailedElsewhereError ",
    ]
    failed = one.pop("one fails")
    assert failed.startswith("RunError process 1 on ")
    assert failed.endswith(": spoilt")
    assert other.pop("one fails") == "FailedElsewhereError "
    assert [one.pop("shares"), other.pop("shares")] == [
        ["slice(0, 3, None)", "slice(0, 4, None)"],
        ["slice(3, 6, None)", "slice(4, 7, None)"],
    ]
    assert [one.pop("place"), other.pop("place")] == [[0, 7], [4, 7]]
    means = one.pop("mean"), other.pop("mean")
    assert np.mean(means) == pytest.approx((1 * 3 + 2 * 2) / 5)
    same = {"anywhere": True, "nowhere": False, "nothing": 0.0}
    assert one == same | {"together": "0", "in turn": "0"}
    assert other == same | {"together": "1", "in turn": "1"}


def test_losses_average_to_those_of_the_whole_batch(two: Path) -> None:
    """Parts differ in size, in class weights, and in how many masks are annotated."""
    parts = np.array(said(two, "losses"))
    assert np.abs(parts[0] - parts[1]).min() > 0.01
    np.testing.assert_allclose(parts.mean(0), losses(slice(None)), rtol=1e-5)


def test_batch_norm_and_dropout_are_those_of_the_whole_batch(two: Path) -> None:
    parts = [torch.load(two / f"torch.float64-{number}.pt") for number in (0, 1)]
    whole = whole_batch(batch(torch.float64), slice(None))
    assert not (whole["outputs"] != 0).all(), "dropout drops something"
    for name, expected in whole.items():
        own, other = (part[name] for part in parts)
        if name in ("outputs", "gradient.inputs"):
            torch.testing.assert_close(torch.cat([own, other]), expected)
        elif name.startswith("gradient"):
            torch.testing.assert_close(own + other, expected)
        else:
            torch.testing.assert_close(own, expected)
            assert torch.equal(own, other)


def test_batch_norm_of_half_precision_keeps_statistics_in_single(two: Path) -> None:
    part = torch.load(two / "torch.bfloat16-0.pt")
    whole = whole_batch(batch(torch.bfloat16), slice(None))
    for name in ("0.running_mean", "0.running_var"):
        torch.testing.assert_close(part[name], whole[name], rtol=1e-5, atol=1e-6)
    outputs = whole["outputs"][: len(part["outputs"])]
    torch.testing.assert_close(part["outputs"], outputs, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", TRAINED)
def test_training_ends_with_the_weights_of_one_process(
    data: Path, two: Path, tmp_path: Path, name: str
) -> None:
    """Class weights, attention loss on some images, batch norm, dropout, averaged weights.

    Batch norm takes away the bias before it. What its gradient holds is rounding alone, which
    optimisers that scale by the gradient's size blow up: it is left out there, and with it the
    running mean, which contains it.
    """
    model = train(name, data, tmp_path / name)
    one, other = said(two, name)
    assert one == other, "every process has the same bits"
    weights, expected = torch.load(two / f"{name}.pt"), model.state_dict()
    adaptive, loose = name in ("gvco", "adamw"), name == "findings"
    for key, value in expected.items():
        if adaptive and key.startswith("blocks.") and key.endswith((".0.bias", ".running_mean")):
            continue
        close = {"rtol": 1e-3, "atol": 1e-3} if loose else CLOSE  # a maximum of near equals flips
        torch.testing.assert_close(weights[key], value, **close, msg=f"{name} {key}")
    histories = [pd.read_csv(root / name / "history.csv") for root in (tmp_path, two)]
    columns = [name for name in histories[0].columns if name not in ("seconds", "val_loss")]
    pd.testing.assert_frame_equal(*(history[columns] for history in histories), rtol=1e-4)
    assert histories[1]["val_loss"].tolist() == pytest.approx(histories[0]["val_loss"], rel=1e-3)


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run that Ctrl-C interrupts, then goes on, on two processes; and what it printed then."""
    run = tmp_path_factory.mktemp("runs") / "run"
    words = ["train", "hqcm-ebtc", "--data", data / "squares", "--out", run, *options(*SETS)]
    process = torchrun("--no-python", MEDQNN, *words)
    history = run / "hybrid" / "history.csv"
    while not (history.is_file() and history.read_text().count("\n") > 2):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=180)
    assert out.count(f"interrupted: go on with `medqnn train {run}`") == 1
    assert "[rank" not in err, "no traceback of ours, besides torchrun's"
    assert RunFolder(run).facts()["status"] == "interrupted"
    process = torchrun("--no-python", MEDQNN, "train", run)
    out, err = process.communicate(timeout=180)
    assert (process.returncode, err) == (0, "")
    return run, out


def test_run_goes_on_to_what_one_process_reaches(
    run: tuple[Path, str], data: Path, tmp_path: Path
) -> None:
    alone = start(load("hqcm-ebtc", SETS), str(data / "squares"), tmp_path / "alone")
    proceed(alone)
    RunFolder(run[0]).require_complete()
    for variant in ("hybrid", "none"):
        a, b = (path / variant for path in (alone.path, run[0]))
        expected, weights = (load_file(path / "model.safetensors") for path in (a, b))
        for key, value in expected.items():
            torch.testing.assert_close(weights[key], value, rtol=1e-4, atol=1e-4, msg=key)
        assert len(pd.read_csv(a / "history.csv")) == len(pd.read_csv(b / "history.csv"))


def test_every_image_is_predicted_once(run: tuple[Path, str]) -> None:
    split = pd.read_csv(run[0] / "split.csv", dtype=str)
    for name, part in (("predictions", "test"), ("validation", "val")):
        predicted = pd.read_csv(run[0] / "hybrid" / f"{name}.csv", dtype=str)
        assert predicted["id"].tolist() == split.loc[split["part"] == part, "id"].tolist()


def test_one_process_prints(run: tuple[Path, str]) -> None:
    path, out = run
    for words in ("none (2 of 2)", "Test images by class", f"report: {path / 'report.html'}"):
        assert out.count(words) == 1, out
    assert (path / "report.html").is_file()


def test_error_is_told_once_and_ends_all(tmp_path: Path) -> None:
    words = ["train", "hqcm-ebtc", "--data", tmp_path / "nowhere", "--out", tmp_path / "run"]
    process = torchrun("--no-python", MEDQNN, *words)
    out, err = process.communicate(timeout=180)
    assert process.returncode != 0
    assert err.count("error: the data set") == 1, err
    assert "[rank" not in err, "no traceback of ours, besides torchrun's"
    assert out == ""
    assert not (tmp_path / "run").exists()
