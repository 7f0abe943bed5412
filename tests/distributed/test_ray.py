"""Studies on a Ray cluster of two nodes on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.study.cluster import RayCrew
from medqnn.study.folder import StudyFolder
from medqnn.study.launch import State, launch
from study.tiny import study as tiny_words
from study.toys import Broken, Toy, attempts
from training.tiny import command

pytest.importorskip("ray", reason="needs medqnn[cluster]")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # of the toys
        head = {"num_cpus": 1, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def test_a_study_has_the_same_result_on_a_cluster(
    cluster: Any, tiny_data: Path, tiny_study: Path, tmp_path: Path
) -> None:
    path = tmp_path / "study"
    done = command(*tiny_words(path, tiny_data), "--ray", cluster.address)
    assert done.returncode == 0, done.stdout + done.stderr
    here, there = (
        pd.read_csv(one / "table.csv").drop(columns="seconds") for one in (tiny_study, path)
    )
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_all_jobs_are_done_and_none_twice_when_a_node_dies(cluster: Any, tmp_path: Path) -> None:
    jobs = [Toy(name, seconds=3) for name in "abcd"]
    jobs += [Toy("bad", fails=9), Broken("defect"), Toy("killed", killed=1)]
    dying: list[str] = []

    def watch(state: State) -> None:
        if not dying and len(list(tmp_path.glob("*.attempts"))) == 2:  # one has begun on each
            dying.extend(job.name for job in state.running)
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    study, crew = StudyFolder(tmp_path), RayCrew(cluster.address)
    try:
        failures = launch(study, jobs, crew, watch)
    finally:
        crew.close()
    assert dying
    assert failures == {"bad": "attempt 2", "defect": "ZeroDivisionError: two lines"}
    table = pd.read_csv(tmp_path / "failures.csv")
    lost = table.loc[table["fault"].str.contains("lost"), "job"]
    assert "killed" in set(lost)
    assert set(lost) - {"killed"} < set(dying), "the node that died took one job along"
    assert len(set(lost) - {"killed"}) == 1
    for job in jobs:
        if job.name not in failures:
            assert job.done(study)
            assert len(attempts(study, job)) == 1 + lost.tolist().count(job.name)


def test_a_cluster_that_is_not_there_is_one_line() -> None:
    with pytest.raises(RunError, match=r"no Ray cluster at 127.0.0.1:1 .*`ray start --head`"):
        RayCrew("127.0.0.1:1")


def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RunError, match=r"pip install '.\[cluster\]'"):
        RayCrew("auto")
