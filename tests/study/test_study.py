"""Whole studies, by the real command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medqnn.cli.main import run
from medqnn.evaluation.predictions import read_predictions
from study.tiny import SEEDS, SETS, TRIALS, study
from training.tiny import MEDQNN, command, options

TIMES = ("seconds",)


def scores(path: Path) -> pd.DataFrame:
    """The table without what is measured by a clock."""
    return pd.read_csv(path / "table.csv").drop(columns=list(TIMES))


def test_table_has_every_run_of_the_plan(tiny_study: Path) -> None:
    table = pd.read_csv(tiny_study / "table.csv")
    assert len(table) == len({"shared", "tuned"}) * len({"hybrid", "dense"}) * SEEDS
    assert (table["status"] == "complete").all()
    assert set(table["recipe"]) == {"shared", "tuned"}
    assert table["seconds"].gt(0).all()
    assert (table["epochs"] == 2).all()
    whole = pd.read_parquet(tiny_study / "table.parquet")
    pd.testing.assert_frame_equal(table, whole, check_dtype=False)


def test_scores_are_those_of_the_predictions(tiny_study: Path) -> None:
    table = pd.read_csv(tiny_study / "table.csv").set_index("run")
    for name, row in table.iterrows():
        variant = row["variant"]
        given = read_predictions(tiny_study / "runs" / str(name) / variant / "predictions.csv")
        assert row["accuracy"] == pytest.approx(given.correct.mean())


def test_runs_of_one_seed_share_split_and_images(tiny_study: Path) -> None:
    a, b = (tiny_study / "runs" / f"{name}-fold1-seed0" for name in ("hybrid", "dense"))
    assert (a / "split.csv").read_bytes() == (b / "split.csv").read_bytes()
    first = read_predictions(a / "hybrid" / "predictions.csv")
    assert first.ids.tolist() == read_predictions(b / "dense" / "predictions.csv").ids.tolist()


def test_a_run_of_a_study_is_that_of_the_command_train(
    tiny_study: Path, tiny_data: Path, tmp_path: Path
) -> None:
    sets = options(*SETS, "variants=[hybrid]", "seed=1")
    run = tmp_path / "run"
    done = command("train", "hqcnn-medmnist", "--data", str(tiny_data), "--out", str(run), *sets)
    assert done.returncode == 0, done.stderr
    own, twin = (
        read_predictions(path / "hybrid" / "predictions.csv").probabilities
        for path in (tiny_study / "runs" / "hybrid-fold1-seed1", run)
    )
    assert np.array_equal(own, twin)


def test_tuned_runs_have_the_settings_that_the_search_chose(tiny_study: Path) -> None:
    for variant in ("hybrid", "dense"):
        found = json.loads((tiny_study / "tuning" / f"{variant}-fold1.json").read_text())
        assert len(found["trials"]) == TRIALS
        run = tiny_study / "runs" / f"tuned-{variant}-fold1-seed0" / "recipe.yaml"
        rate = found["chosen"]["training.learning_rate"]
        assert f"learning_rate: {rate}" in run.read_text()


def test_results_compare_hybrid_and_twin_by_both_recipes(tiny_study: Path) -> None:
    results = json.loads((tiny_study / "results.json").read_text())
    table = pd.read_csv(tiny_study / "table.csv")
    for recipe in ("shared", "tuned"):
        own = table[table["recipe"] == recipe].pivot(index="seed", columns="variant")["accuracy"]
        tests = results[recipe]["twins"]["dense"]["scores"]["accuracy"]
        assert tests["corrected_t"]["mean"] == pytest.approx((own["hybrid"] - own["dense"]).mean())
        assert results[recipe]["verdict"]["sentence"] in " ".join(
            tiny_study.with_suffix(".out").read_text().split()
        )


def test_command_ends_without_a_word_on_stderr(tiny_study: Path) -> None:
    assert tiny_study.with_suffix(".err").read_text() == ""
    assert not list(tiny_study.glob("runs/*/*/checkpoints"))


def test_interrupted_study_goes_on_and_equals_an_uninterrupted_one(
    tiny_study: Path, tiny_data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "study"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    words = [MEDQNN, *study(path, tiny_data)]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    _wait(lambda: any(path.glob("runs/*/*/metrics.json")), process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"go on with `medqnn study {path}`" in output
    assert not (path / "table.csv").exists()
    first = next(path.glob("runs/*/*/metrics.json"))
    before = first.stat().st_mtime_ns
    done = command("study", str(path), "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert first.stat().st_mtime_ns == before  # what was done is not done again
    assert scores(path).equals(scores(tiny_study))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for the processes in /proc")
def test_workers_do_not_outlive_a_killed_study(tiny_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "study"
    process = subprocess.Popen([MEDQNN, *study(path, tiny_data)], stdout=subprocess.DEVNULL)
    _wait(lambda: any(path.glob("tuning/*")) or any(path.glob("runs/*")), process)
    workers = _children(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    _wait(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), None)


def test_a_failed_run_is_told_of_and_left_out_pairwise(tiny_study: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(tiny_study, tmp_path / "study"))
    run = path / "runs" / "dense-fold1-seed1"
    shutil.rmtree(run)
    run.write_text("a file in the place of the folder")
    done = command("study", str(path), "--workers", "1")
    assert done.returncode == 1
    assert "failed twice: dense-fold1-seed1: " in done.stdout
    table = pd.read_csv(path / "table.csv").set_index("run")
    assert table.loc["dense-fold1-seed1", "status"] == "missing"
    assert np.isnan(table.loc["dense-fold1-seed1", "accuracy"])
    twin = json.loads((path / "results.json").read_text())["shared"]["twins"]["dense"]
    assert twin["pairs"] == 1
    assert twin["left_out"] == [[1, 1]]
    assert len(pd.read_csv(path / "failures.csv")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("study", "hqcnn-medmnist"), "no data set: give --data"),
        (("study", "{study}", "--tune", "3"), "is a study's folder, whose plan is fixed"),
        (("study", "{study}", "--seeds", "9", "--margin", "0.1"), "leave out --seeds, --margin"),
        (("study", "hqcnn-medmnist", "--data", "{data}", "--twins", ""), "compares nothing"),
        (("study", "{folder}"), "has no study.json: give the folder of a study"),
        (("study", "hqcnn-medmnist", "--data", "{data}", "--folds", "one"), "--folds one: give a"),
        (("study", "hqcnn-medmnist", "--data", "{data}", "--twins", "denes"), "name each variant"),
        (
            ("study", "hqcnn-medmnist", "--data", "{data}", "--tune", "1", "--set", "tuning={{}}"),
            "the recipe names nothing to tune",
        ),
    ],
)
def test_faults_are_one_line(
    tiny_study: Path,
    tiny_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    places = {"study": tiny_study, "data": tiny_data, "folder": tmp_path}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["medqnn", *(word.format(**places) for word in words)])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def _wait(
    until: Callable[[], bool], process: subprocess.Popen[str] | None, seconds: float = 90
) -> None:
    """Until something holds; fails if the process ends before."""
    end = time.monotonic() + seconds
    while not until():
        assert process is None or process.poll() is None, "the command ended too early"
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _children(process: int) -> list[str]:
    """Processes that a process started, from whichever of its threads."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [child for one in lists for child in one.read_text().split()]
