from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.study.folder import StudyFolder
from medqnn.study.launch import State, alone, launch
from medqnn.study.local import LocalCrew
from study.toys import Broken, Toy, attempts


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path)


@pytest.fixture(scope="module")
def crew() -> Iterator[LocalCrew]:
    crew = LocalCrew(2)
    yield crew
    crew.close()


def test_every_job_is_done_once_and_none_that_was_done(study: StudyFolder, crew: LocalCrew) -> None:
    jobs = [Toy(name) for name in "abcde"]
    (study.path / "b.done").touch()
    states: list[tuple[int, int]] = []
    assert launch(study, jobs, crew, lambda s: states.append((s.done, len(s.running)))) == {}
    assert all(job.done(study) for job in jobs)
    assert not (study.path / "b.attempts").exists()
    assert [len(attempts(study, job)) for job in jobs if job.name != "b"] == [1] * 4
    assert str(os.getpid()) not in {
        pid for job in jobs if job.name != "b" for pid in attempts(study, job)
    }
    assert states[0] == (1, 2)
    assert states[-1] == (5, 0)
    assert not (study.path / "failures.csv").exists()


def test_a_job_that_fails_once_is_done_after_the_others(
    study: StudyFolder, crew: LocalCrew
) -> None:
    jobs = [Toy("bad", fails=1), Toy("good"), Toy("last")]
    assert launch(study, jobs, crew) == {}
    assert len(attempts(study, jobs[0])) == 2
    failures = pd.read_csv(study.path / "failures.csv")
    assert failures[["job", "fault", "tried_again"]].values.tolist() == [["bad", "attempt 1", True]]


def test_a_job_that_fails_twice_is_told_of_and_the_others_are_done(
    study: StudyFolder, crew: LocalCrew
) -> None:
    jobs = [Toy("bad", fails=9), Broken("defect"), Toy("good")]
    states: list[dict[str, str]] = []

    def watch(state: State) -> None:
        states.append(dict(state.failures))

    faults = {"bad": "attempt 2", "defect": "ZeroDivisionError: two lines"}
    assert launch(study, jobs, crew, watch) == faults
    assert states[-1] == faults
    assert jobs[2].done(study)
    failures = pd.read_csv(study.path / "failures.csv")
    assert failures.groupby("job")["tried_again"].apply(list).to_dict() == {
        "bad": [True, False],
        "defect": [True, False],
    }


def test_a_job_whose_process_is_killed_is_started_again_and_takes_no_other_along(
    study: StudyFolder, crew: LocalCrew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medqnn.study.launch.LOSSES", 2)
    jobs = [Toy("slow", seconds=2), Toy("victim", killed=1), Toy("doomed", killed=99)]
    failures = launch(study, jobs, crew)
    assert list(failures) == ["doomed"]
    assert "killed" in failures["doomed"]
    assert [len(attempts(study, job)) for job in jobs] == [1, 2, 2]


def test_a_study_is_worked_on_by_one_process_alone(study: StudyFolder) -> None:
    with alone(study), pytest.raises(RunError, match="another process works on"), alone(study):
        pass
    with alone(study):
        pass
