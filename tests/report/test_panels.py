from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from medqnn.errors import RunError
from medqnn.evaluation.predictions import read_predictions
from medqnn.explain.cases import FILE, by_overlap, errors
from medqnn.report import images, panels
from medqnn.report.html import write_report
from medqnn.report.run_folder import Run, read_run
from medqnn.training.folder import RunFolder, save_arrays

from .page import Page
from .runs import CLASSES, SIZE, make_run

Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def read(run: Path) -> Run:
    return read_run(run)


@pytest.fixture(scope="module")
def cases(read: Run) -> list[panels.Case]:
    """Those of the usual run."""
    return cases_of(read)


def shown(run: Run) -> dict:
    """What is shown of a run; there is something."""
    found = panels.section(run)["panels"]
    assert found is not None
    return found


def explained(
    path: Path, groups: dict[str, list[str]], grad_cam: bool = False, most: int = 150
) -> Path:
    """The run with the cases that `medqnn explain` writes, their pixels drawn at random."""
    names = [file.parent.name for file in sorted(path.glob("*/predictions.csv"), reverse=True)]
    wrong = errors([read_predictions(path / name / "predictions.csv") for name in names[:2]])
    ids = np.array(
        list(dict.fromkeys([*(i for own in groups.values() for i in own), *wrong[:most]]))
    )
    ramp = np.linspace(0, 1, SIZE) * np.ones((SIZE, 1))  # noise would take long to encode
    steps = np.linspace(0.2, 1, len(ids))[:, None, None]
    measure = "confidence" if grad_cam else "jaccard@q0.90"
    arrays = {"network": np.array("hybrid"), "measure": np.array(measure), "ids": ids}
    arrays |= {f"group/{name}": np.array(own) for name, own in groups.items()}
    arrays |= {"errors": np.array(wrong[:most]), "all_errors": np.array(len(wrong))}
    arrays["images"] = (255 * steps * ramp).astype(np.uint8)
    arrays["masks"] = np.zeros_like(arrays["images"])
    arrays["masks"][:, 4:9, 4:9] = not grad_cam
    if grad_cam:
        maps = np.stack([steps * ramp, steps * ramp.T]).astype(np.float16)
        arrays |= {f"map/{name}": own for name, own in zip(names, maps, strict=True)}
    RunFolder(path).write(FILE, lambda file: save_arrays(file, **arrays))
    return path


def best_to_worst(path: Path) -> dict[str, list[str]]:
    table = pd.read_csv(path / "hybrid" / "localisation.csv", dtype={"id": str})
    return by_overlap(table.set_index("id")["jaccard@q0.90"])


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with chosen cases; only to be read."""
    path = make_run(tmp_path_factory.mktemp("chosen") / "run")
    return explained(path, best_to_worst(path))


@pytest.fixture(scope="module")
def found(chosen: Path) -> dict:
    """What is shown of it."""
    return shown(read_run(chosen))


def test_two_variants_make_the_six_columns_of_the_paper(read: Run) -> None:
    found = shown(read)
    (group,) = found["groups"]
    assert group.columns == [
        "Image",
        "Mask",
        "Attention of hybrid",
        "Attention of dense",
        "Overlay of hybrid",
        "Overlay of dense",
    ]
    assert (group.title, found["chosen"], found["errors"]) == ("", False, None)
    assert len(group.cases) == 5
    assert {len(case.panels) for case in group.cases} == {6}
    assert len({panel.source for panel in group.cases[4].panels}) == 6


def cases_of(run: Run) -> list[panels.Case]:
    return [case for group in shown(run)["groups"] for case in group.cases]


def test_every_figure_below_a_map_is_that_of_its_image(run: Path, cases: list[panels.Case]) -> None:
    case = next(case for case in cases if case.label != CLASSES[0])
    for column, name in ((2, "hybrid"), (3, "dense")):
        table = pd.read_csv(run / name / "localisation.csv", dtype={"id": str}).set_index("id")
        scored = table.loc[case.name]
        lines = case.panels[column].lines
        assert lines[0] == f"J {scored['jaccard@0.75']:.3f} (τ = 0.75)"
        assert lines[1] == f"J {scored['jaccard@q0.99']:.3f} (top 1%)"
        assert len(lines) == 3


def test_predicted_class_is_called_right_or_wrong(read: Run, cases: list[panels.Case]) -> None:
    predictions = read.variants[1].predictions
    labels = read.split.set_index("id")["label"]
    for case in cases:
        row = int(np.flatnonzero(predictions.ids == case.name)[0])
        probabilities = predictions.probabilities[row]
        predicted = CLASSES[probabilities.argmax()]
        verdict = "right" if predicted == labels[case.name] else "wrong"
        assert case.panels[3].lines[-1] == f"{predicted} ({probabilities.max():.1%}): {verdict}"
        assert case.label == labels[case.name]


def test_an_image_without_tumour_has_no_index(cases: list[panels.Case]) -> None:
    case = next(case for case in cases if case.label == CLASSES[0])
    assert case.panels[1].lines == ["no tumour marked"]
    assert not any(line.startswith("J ") for panel in case.panels for line in panel.lines)


def test_chosen_cases_stand_in_groups_with_the_measure_of_their_choice(
    chosen: Path, found: dict
) -> None:
    groups = best_to_worst(chosen)
    assert [group.title for group in found["groups"]] == ["best", "median", "worst"]
    table = pd.read_csv(chosen / "hybrid" / "localisation.csv", dtype={"id": str}).set_index("id")
    for group in found["groups"]:
        assert [case.name for case in group.cases] == groups[group.title]
        for case in group.cases:
            index = table.loc[case.name, "jaccard@q0.90"]
            assert f"J {index:.3f} (top 10%)" in case.panels[2].lines
    assert (found["region"], found["network"], found["twin"]) == ("top 10%", "hybrid", "dense")


def test_all_errors_of_both_are_shown_small(chosen: Path, found: dict) -> None:
    wrong = {
        name
        for v in read_run(chosen).variants
        for name in v.predictions.ids[~v.predictions.correct]
    }
    assert {case.name for case in found["errors"].cases} == wrong
    assert found["all_errors"] == len(wrong)
    kinds = {p.source.split(";")[0] for case in found["errors"].cases for p in case.panels}
    assert kinds == {"data:image/webp"}
    assert found["groups"][0].cases[0].panels[0].source.startswith("data:image/png")


def test_errors_have_the_columns_of_two_networks(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", variants=("dense", "hybrid", "none"))
    found = shown(read_run(explained(path, best_to_worst(path))))
    assert len(found["groups"][0].columns) == len(found["groups"][0].cases[0].panels) == 8
    assert found["errors"].columns[2:4] == ["Attention of dense", "Attention of hybrid"]
    assert {len(case.panels) for case in found["errors"].cases} == {6}


def test_without_attention_the_maps_are_grad_cams(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", attention=False)
    ids = read_run(path).variants[0].predictions.ids.tolist()
    groups = {"surest right": ids[:2], "least sure": ids[2:3], "surest wrong": []}
    run = read_run(explained(path, groups, grad_cam=True, most=3))
    found = shown(run)
    group = found["groups"][0]
    assert group.columns[:3] == ["Image", "Grad-CAM of hybrid", "Grad-CAM of dense"]
    assert len(group.cases[1].panels) == len(group.columns) == 5
    with np.load(path / FILE) as kept:
        for column, name in ((1, "hybrid"), (2, "dense")):
            own = kept[f"map/{name}"][1].astype(np.float32)
            assert group.cases[1].panels[column].source == images.attention_picture(own)
    assert (panels.section(run)["attended"], found["region"]) == ([], None)
    text = Page(write_report(path)).text("panels")
    assert "Chosen after scoring, by how sure hybrid is of its answer" in text
    assert f"3 of {found['all_errors']} errors of hybrid or dense" in text
    assert "Surest wrong" not in text
    assert "Jaccard" not in text


def test_the_page_folds_the_errors_away(chosen: Path, found: dict) -> None:
    page = Page(write_report(chosen))
    assert ("details", {"id": "errors"}) in page.tags
    text = page.text("panels")
    assert "hybrid's attention (top 10%) among the test images with a tumour" in text
    assert f"{len(found['errors'].cases)} errors of hybrid or dense" in text
    failures = page.text("failures")
    assert "The errors in pictures stand with the maps" in failures
    assert ("a", {"href": "#errors"}) in page.tags


def test_findings_have_their_likeliest_one_below(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", multilabel=True)
    run = read_run(path)
    predictions = run.variants[0].predictions
    for case in cases_of(run):
        row = int(np.flatnonzero(predictions.ids == case.name)[0])
        top = predictions.probabilities[row].argmax()
        share = f"{predictions.probabilities[row, top]:.1%}"
        assert case.panels[2].lines[-1] == f"likeliest: {predictions.classes[top]} ({share})"
        assert case.panels[2].lines[-2].startswith(predictions.answer(row))


def test_the_map_is_the_sigmoid_of_logits_interpolated(read: Run) -> None:
    hybrid = read.variants[0]
    attention = np.array([[[-4.0, 4.0], [-4.0, 4.0]]], dtype=np.float16)
    flat = replace(hybrid, attention={"ids": np.array(["x"]), "maps": attention})
    values = panels.attention_map(flat, "x", 4)
    assert values[0] == pytest.approx(expit([-4, -2, 2, 4]), abs=1e-6)


def test_a_missing_map_is_an_error_that_names_it(read: Run) -> None:
    with pytest.raises(RunError, match=r"hybrid/attention\.npz has 0 maps of image nobody"):
        panels.attention_map(read.variants[0], "nobody", SIZE)


def test_samples_are_sorted_by_class(read: Run) -> None:
    assert read.gallery is not None
    for name, pictures in panels.samples(read):
        assert len(pictures) == (read.gallery["labels"] == name).sum()


def test_nothing_kept_gives_nothing_to_show(run_maker: Maker, tmp_path: Path) -> None:
    bare = read_run(run_maker(tmp_path / "run", variants=("hybrid",), attention=False))
    assert panels.section(bare) == {"attended": [], "panels": None}
    assert list(panels.samples(replace(bare, gallery=None))) == []
