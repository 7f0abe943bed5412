"""``medqnn export``: a trained network or its circuits for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from medqnn.training.folder import RunFolder


class Format(StrEnum):
    """What a network can be exported as."""

    ONNX = "onnx"
    QASM = "qasm"
    QISKIT = "qiskit"


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a complete run.")],
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="onnx: the whole network, its circuits multiplied out, checked by ONNX Runtime; "
            "qasm: its circuits as OpenQASM 3; qiskit: as a QPY file.",
        ),
    ] = Format.ONNX,
    variant: Annotated[
        str, typer.Option(help="Of the run's networks: hybrid, or a twin.")
    ] = "hybrid",
    image: Annotated[
        str | None,
        typer.Option(
            help="For qasm and qiskit: an image file to embed, prepared as in training. Without "
            "it the programs' inputs stay open."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File, or folder for qasm, to write; by default inside RUN/VARIANT."),
    ] = None,
) -> None:
    """Write a trained network for programs that know nothing of medqnn.

    Example: medqnn export runs/demo --format onnx
    """
    from medqnn.errors import RunError
    from medqnn.training.folder import RunFolder

    folder = RunFolder(run)
    if form is not Format.ONNX:
        _circuits(folder, form, variant, image, out)
    elif image is not None:
        raise RunError("an ONNX file reads any image: leave out --image")
    else:
        _onnx(folder, variant, out)


def _onnx(folder: RunFolder, variant: str, out: Path | None) -> None:
    from medqnn.cli.show import console
    from medqnn.export.onnx import TOLERANCE
    from medqnn.export.run_onnx import export_onnx

    with console.status("exporting and checking"):
        written = export_onnx(folder, variant, out)
    console.print(f"network: {written.path}", soft_wrap=True)
    console.print(
        f"ONNX Runtime differs from PyTorch by at most {written.difference:.1e} on "
        f"{written.images} images (allowed: {TOLERANCE:.0e})",
        soft_wrap=True,
    )


def _circuits(
    folder: RunFolder, form: Format, variant: str, image: str | None, out: Path | None
) -> None:
    from medqnn.cli.show import console
    from medqnn.export.run_circuits import export_qasm, export_qiskit

    if form is Format.QISKIT:
        path = export_qiskit(folder, variant, out, image)
        console.print(f"circuits: {path}, for qiskit.qpy.load", soft_wrap=True)
        return
    files = export_qasm(folder, variant, out, image)
    console.print(f"{len(files)} OpenQASM programs: {files[0].parent}", soft_wrap=True)
