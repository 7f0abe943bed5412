"""``medqnn explain``: what a run's networks look at, on its test images and on new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medqnn.cli.folders import data_name, refuse

if TYPE_CHECKING:
    from medqnn.explain.explanation import Answer
    from medqnn.explain.new_images import NewImage
    from medqnn.training.folder import RunFolder

SCORED = 30  # images that are scored if --images does not say
SHOWN = 12  # images of another data set on the page if --images does not say


def explain(
    run: Annotated[Path, typer.Argument(help="Folder of a complete run.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IMAGE",
            help="Images to explain: PNG, JPEG, TIFF or BMP, DICOM, NIfTI. FILE:40 is slice 40 of "
            "a volume, or frame 40 of a DICOM file.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Another data set of the run's classes to explain, as `medqnn train` takes it."
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=2,
            help=f"Of the run: score so many test images, evenly over the classes; by default "
            f"{SCORED}. With --data: show so many on the page; by default {SHOWN}.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the images taken and of noise.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Of images: the page to write, by default RUN/explanations/IMAGE.html, "
            "with a number if that is there. With --data: the folder to make, by default "
            "RUN-on-DATA."
        ),
    ] = None,
) -> None:
    """Show what each network's answer rests on, and whether the maps that say so can be believed.

    Example: medqnn explain runs/demo

    Of a run alone, maps of its test images are scored, into RUN/explain.csv
    and RUN/report.html. Of single images (medqnn explain runs/demo scan.png)
    or another data set (medqnn explain runs/demo --data ~/scans) a page shows
    probabilities, maps and circuits.
    """
    from medqnn.training.folder import RunFolder

    folder = RunFolder(run)
    folder.require_complete()
    with _interruptible():
        if data is not None:
            if files:
                refuse("single images and a data set cannot be explained at once", data=data)
            _explain_set(folder, data, images or SHOWN, seed, out)
        elif files:
            refuse("single images are all explained, on one page", images=images, seed=seed)
            _explain_files(folder, files, out)
        else:
            refuse("what is found of a run is written into its folder", out=out)
            _explain_run(folder, images or SCORED, seed)


def _explain_run(folder: RunFolder, images: int, seed: int) -> None:
    """Score the test images, unless it is done; keep what the report shows."""
    from medqnn.cli.show import console, decoding
    from medqnn.cli.show_explained import show_explained
    from medqnn.explain import cases, embedding_map
    from medqnn.explain.scores import is_scored, read_scores, write_scores
    from medqnn.report.html import write_report
    from medqnn.training.trained import load_trained

    shown, scored = (folder.path / cases.FILE).is_file(), is_scored(folder, images, seed)
    if not (shown and scored):
        trained = load_trained(folder, decoding)
        if not shown:
            embedding_map.write_embedding(folder, trained)
            cases.write_cases(folder, trained)  # last, for its file says that both are done
        if not scored:
            write_scores(folder, trained, images, seed, _bar("scoring explanations"))
        if (folder.path / "report.html").is_file():
            write_report(folder.path)
    show_explained(read_scores(folder))
    console.print(f"table: explain.csv in {folder.path}", soft_wrap=True)


def _explain_files(folder: RunFolder, files: Sequence[str], out: Path | None) -> None:
    """One page on single files."""
    from medqnn.explain.new_images import read_images
    from medqnn.report.explanation import Explained, write_page
    from medqnn.training.run import recipe_of
    from medqnn.training.trained import load_models

    new = read_images(files, recipe_of(folder))
    networks = load_models(folder)
    cases = _answered(folder, networks, new)
    path = out or _new_page(folder.path / "explanations", Path(new[0].name).stem)
    count = "1 image" if len(new) == 1 else f"{len(new)} images"
    write_page(folder, networks, Explained(cases, count), path)
    _say(folder, [*zip(files, (answers for _, answers in cases), strict=True)])
    _say_written(path)


def _explain_set(folder: RunFolder, source: str, shown: int, seed: int, out: Path | None) -> None:
    """Scores of another data set's explanations, and a page on some of its images."""
    from medqnn.cli.show import decoding
    from medqnn.cli.show_explained import show_explained
    from medqnn.explain import scores
    from medqnn.explain.new_set import chosen, open_set
    from medqnn.report.explanation import Explained, write_page
    from medqnn.training.folder import RunFolder
    from medqnn.training.sampling import chosen_rows
    from medqnn.training.trained import Trained, load_models

    made = RunFolder(_new_folder(folder.path, source, out))
    inputs, networks = open_set(folder, source, decoding), load_models(folder)
    trained = Trained(inputs, networks)
    rows = chosen_rows(trained, SCORED, seed)
    found = scores.score(trained, rows, seed, _bar("scoring explanations"))
    new = chosen(inputs, chosen_rows(trained, shown, seed))
    cases = _answered(folder, networks, new)
    of = f"{len(new)} of {len(inputs.table)} images of {inputs.table.name}"
    explained = Explained(cases, f"{of}, evenly over its classes", inputs.table.synthetic)
    write_page(folder, networks, explained, made.path / "explanation.html")
    made.write(scores.TABLE, lambda path: found.table.to_csv(path, index=False))
    made.write_json(scores.SUMMARY, found.summary | {"options": scores.options(SCORED, seed)})
    show_explained(found)
    _say_skipped(inputs.skipped)
    _say_written(made.path / "explanation.html", made.path / scores.TABLE)


def _answered(
    folder: RunFolder, networks: dict[str, Any], new: Sequence[NewImage]
) -> list[tuple[NewImage, list[Answer]]]:
    from medqnn.explain.explanation import explain

    several = bool(folder.facts()["data"].get("multilabel"))
    images = _bar("explaining")(new, len(new))
    return [(image, explain(networks, image.pixels, several)) for image in images]


def _new_page(folder: Path, stem: str) -> Path:
    """A page that is not there yet."""
    path, number = folder / f"{stem}.html", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.html"
    return path


def _new_folder(run: Path, source: str, out: Path | None) -> Path:
    """The folder to make, which is not there or is empty."""
    from medqnn.errors import RunError

    if out is not None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunError(f"{out} exists: choose another folder with --out")
        return out
    run = run.absolute()
    first = run.with_name(f"{run.name}-on-{data_name(source)}")
    path, number = first, 1
    while path.exists():
        number += 1
        path = first.with_name(f"{first.name}-{number}")
    return path


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends with a line: every file is written whole or not at all."""
    from medqnn.cli.show import console

    try:
        yield
    except KeyboardInterrupt:
        console.print("interrupted: files that were being written are as they were")
        raise typer.Exit(130) from None


def _bar(words: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    """A progress bar with these words."""
    from rich.progress import track

    from medqnn.cli.show import console

    return lambda items, total: iter(track(items, words, total, console=console))


def _say(folder: RunFolder, answered: Sequence[tuple[str, list[Answer]]]) -> None:
    """Each image's answers on a line."""
    from medqnn.cli.show import console

    classes = folder.facts()["data"]["classes"]
    for name, answers in answered:
        words = ", ".join(
            f"{one.variant} {classes[one.target]} {one.probabilities[one.target]:.1%}"
            for one in answers
        )
        console.print(f"{name}: {words}", soft_wrap=True)
    console.print("A research result, not for clinical use.")


def _say_skipped(skipped: Sequence[Any]) -> None:
    from medqnn.cli.show import console

    if skipped:
        first = f"{skipped[0].id}: {skipped[0].reason}"
        console.print(
            f"images that could not be used and were left out: {len(skipped)}; the first, {first}",
            soft_wrap=True,
        )


def _say_written(*paths: Path) -> None:
    from medqnn.cli.show import console

    for path in paths:
        console.print(f"wrote {path}", soft_wrap=True)
