"""All studies below a folder as one table: a row for each system, data set, recipe and variant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from medqnn.errors import RunError
from medqnn.study.changes import changes
from medqnn.study.folder import TUNED, StudyFolder, is_study
from medqnn.study.results import FILE
from medqnn.study.table import CSV

COLUMNS = {
    "system": "system",
    "data": "data",
    "variant": "variant",
    "runs": "runs",
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "gain": "hybrid − twin",
    "p_holm": "p",
    "verdict": "verdict",
    "parameters": "weights",
    "seconds": "s a run",
}


def gather(root: Path) -> pd.DataFrame:
    """The studies that have results, in the order of their names.

    Returns:
        One row a study, recipe and variant: study (its place below the root), system, data,
        synthetic, leak, split (its rule), tune (trials), validation (images a split), changed (see
        `changes`), recipe, variant, runs, missing, seeds, folds, images (tested), main_score;
        score, low, high (of the main score); auroc, auroc_low, auroc_high; difference,
        difference_low, difference_high (hybrid − twin), p_holm (corrected t), wilcoxon_p,
        smallest_p, equivalence_p, superiority, verdict (of the twin), overall (of the study, in
        words); parameters, seconds (medians over runs). The hybrid has no difference.

    Raises:
        RunError: If there is no study with results.
    """
    places = sorted(path.parent for path in root.rglob(FILE) if is_study(path.parent))
    rows = [row for place in places for row in _rows(StudyFolder(place), _name(place, root))]
    if not rows:
        raise RunError(
            f"{root} holds no study with results: make one with `medqnn study`, or name another "
            "folder"
        )
    return pd.DataFrame(rows)


def _name(place: Path, root: Path) -> str:
    """A study's place below the root; its folder's name where it is the root."""
    return place.relative_to(root).as_posix() if place != root else place.resolve().name


def _rows(study: StudyFolder, name: str) -> list[dict[str, Any]]:
    facts, runs = study.facts(), pd.read_csv(study.path / CSV)
    setting = {
        "study": name,
        "system": facts["system"],
        "data": facts["data"]["name"],
        "synthetic": facts["data"]["synthetic"],
        "leak": any(fold["leak"] for fold in facts["folds"]),
        "split": facts["data"]["split_rule"],
        "tune": facts["plan"]["tune"],
        "validation": sum(fold["val"] for fold in facts["folds"]) // len(facts["folds"]),
        "changed": changes(study.recipe()),
    }
    return [
        {**setting, "recipe": recipe, "variant": variant, **_scores(result, variant), **_cost(own)}
        for recipe, result in study.read_json(FILE).items()
        for variant in result["variants"]
        for own in [runs.query("recipe == @recipe and variant == @variant")]
    ]


def _scores(result: dict[str, Any], variant: str) -> dict[str, Any]:
    own, main = result["variants"][variant], result["main_score"]
    nothing = dict.fromkeys(("estimate", "low", "high"))
    scores = own["scores"] or {main: nothing, "auroc": nothing}
    score, auroc = scores[main], scores["auroc"]
    return {
        "runs": own["runs"],
        "missing": len(own["missing"]),
        "seeds": len(result["seeds"]),
        "folds": len(result["folds"]),
        "images": result["images"],
        "main_score": main,
        "score": score["estimate"],
        "low": score["low"],
        "high": score["high"],
        "auroc": auroc["estimate"],
        "auroc_low": auroc["low"],
        "auroc_high": auroc["high"],
        **(_tests(result["twins"][variant], main) if variant in result["twins"] else {}),
        "overall": result["verdict"]["sentence"],
    }


def _tests(twin: dict[str, Any], main: str) -> dict[str, Any]:
    if not twin["differences"]:  # it shares no run with the hybrid
        return {"verdict": twin["verdict"]["code"]}
    tests, gain = twin["scores"][main], twin["differences"][main]
    return {
        "difference": gain["estimate"],
        "difference_low": gain["low"],
        "difference_high": gain["high"],
        "p_holm": tests["p_holm"],
        "wilcoxon_p": tests["signed_rank"]["p"],
        "smallest_p": tests["signed_rank"]["smallest_p"],
        "equivalence_p": tests["equivalence"]["p"],
        "superiority": tests["effect"]["superiority"],
        "verdict": twin["verdict"]["code"],
    }


def _cost(runs: pd.DataFrame) -> dict[str, Any]:
    return {"parameters": runs["parameters"].median(), "seconds": runs["seconds"].median()}


def headline(rows: pd.DataFrame) -> str:
    """Name of the study and recipe that these rows are of."""
    first = _text(rows.to_dict("records")[0])
    recipe = ", tuned recipes" if rows["recipe"].iloc[0] == TUNED else ""
    return f"{first['system']} on {first['data']}{recipe}"


def as_text(board: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard's columns, `COLUMNS`, as text; what leaks is marked."""
    return pd.DataFrame([_text(row) for row in board.to_dict("records")])


def _text(row: dict[Any, Any]) -> dict[str, str]:
    marks = [word for word in ("leak", "synthetic") if row[word]]
    data = row["data"] + (f" ({', '.join(marks).upper()})" if marks else "")
    gain = row["difference"], row["difference_low"], row["difference_high"]
    twin = pd.notna(gain[0])
    cells = {
        "system": row["system"],
        "data": data,
        "variant": row["variant"] + (", tuned" if row["recipe"] == TUNED else ""),
        "runs": f"{row['runs']}" + (f" ({row['missing']} missing)" if row["missing"] else ""),
        "accuracy": _interval(row["score"], row["low"], row["high"], ".3f")
        if row["main_score"] == "accuracy"
        else "",
        "auroc": _interval(row["auroc"], row["auroc_low"], row["auroc_high"], ".3f"),
        "gain": _interval(*gain, "+.3f") if twin else "",
        "p_holm": f"{row['p_holm']:.2g}" if twin and pd.notna(row["p_holm"]) else "",
        "verdict": row["verdict"] if pd.notna(row["verdict"]) else "",
        "parameters": f"{row['parameters']:,.0f}" if row["runs"] else "",
        "seconds": f"{row['seconds']:.0f}" if row["runs"] else "",
    }
    return {COLUMNS[key]: text for key, text in cells.items()}


def _interval(value: float, low: float, high: float, form: str) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:{form}}" + (f" ({low:{form}} to {high:{form}})" if pd.notna(low) else "")


def as_markdown(text: pd.DataFrame) -> str:
    """A table of `as_text` in Markdown."""
    lines = [list(text.columns), ["---"] * len(text.columns), *text.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
