"""The quantum layer and all its peers side by side: time, memory and first call of a step.

Every peer runs in a process of its own, in an environment of its own where its packages would
fight ours; environments are made at the first run (2.1 GB) and kept. Values and gradients are first
compared with those of PennyLane's ``default.qubit`` in float64; a peer that differs is not timed.
Then the peers take turns: each round times every peer once while the others wait, for as many steps
as last some milliseconds, so that a drift of the machine hits all alike. The table shows medians
over the rounds. A step gives the gradients to inputs and weights; what is timed is float32 where a
peer has it.

    python benchmarks/peers.py --cases A,wide --json peers.json
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from _contenders import Case
from peers import tables
from peers.catalogue import PEERS, Peer
from peers.contest import Entrant, Terms, contest
from peers.environments import NotInstalledError, python
from peers.talk import Talk
from platformdirs import user_cache_path
from quantum_layer import CASES, environment
from rich.console import Console

from medqnn.circuits import Circuit

WIDTHS, QUICK_WIDTHS = (4, 8, 10, 12, 14, 16), (4, 10)
GROUPS = ("A", "B", "C", "wide")


def cases(groups: list[str], quick: bool) -> dict[str, list[Case]]:
    """The narrow layers and the wide ones, which make tables of their own."""
    narrow = [case for case in CASES if case.name[0] in groups]
    if quick:
        narrow = [case for case in narrow if case.name.endswith("batch 64")]
    widths = (QUICK_WIDTHS if quick else WIDTHS) if "wide" in groups else ()
    wide = [Case(f"{q} qubits", Circuit(q, 2, "amplitude", "Y"), 1, 8) for q in widths]
    return {"narrow": narrow, "wide": wide}


def entrants(chosen: list[Peer], options: argparse.Namespace, console: Console) -> list[Entrant]:
    """The peers with their workers, in environments that are made if they are not there."""
    found = []
    for peer in chosen:
        try:
            with console.status(f"{peer.name}: its environment"):
                interpreter = python(peer.environment, options.environments)
            found.append(Entrant(peer, Talk(interpreter, peer.module, options.threads)))
        except NotInstalledError as error:
            found.append(Entrant(peer, None, str(error)))
    return found


def run(options: argparse.Namespace, console: Console, workers: ExitStack) -> dict[str, Any]:
    """All figures, with what they depend on; ``workers`` ends the processes that this starts."""
    torch.set_num_threads(options.threads)
    about = environment() | {"device": options.device}
    chosen = [peer for peer in PEERS if not options.only or peer.name in options.only]
    competing = entrants(chosen, options, console)
    for one in filter(None, (entrant.talk for entrant in competing)):
        workers.callback(one.close)
    turns = (5, 20.0) if options.quick else (11, 50.0)
    terms = Terms(*turns, limit=options.limit, device=options.device)
    results: dict[str, tables.Results] = {}
    with console.status("") as status:
        for group, members in cases(options.cases, options.quick).items():
            results[group] = {
                case.name: contest(case, competing, terms, status.update) for case in members
            }
    versions = {one.peer.name: one.abilities.get("versions", {}) for one in competing}
    return {"environment": about, "versions": versions, "results": results}


def show(figures: dict[str, Any], as_markdown: bool, console: Console) -> None:
    about = figures["environment"]
    for results in filter(None, figures["results"].values()):
        if as_markdown:
            print(tables.markdown(results), end="\n\n")
        else:
            console.print(*tables.terminal(results), sep="\n")
    console.print(
        f"{about['processor']}, {about['cores']} cores, {about['threads']} used; "
        f"{about['device']}; load before: {about['load_average'][0]:.1f}"
    )


def parsed() -> argparse.Namespace:
    names = [peer.name for peer in PEERS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", action="append", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    add("--cases", default=",".join(GROUPS), help="of A, B, C and wide (default all)")
    add("--quick", action="store_true", help="few rounds, batch 64, 4 and 10 qubits alone")
    add("--threads", type=int, default=1, help="cores and threads of each peer (default 1)")
    add("--device", choices=("cpu", "cuda"), default="cpu", help="default cpu")
    add("--limit", type=float, default=30.0, help="seconds a peer and case (default 30)")
    add(
        "--environments",
        type=Path,
        default=user_cache_path("medqnn") / "peers",
        help="their folder",
    )
    add("--json", type=Path, help="write the figures to this file")
    add("--markdown", action="store_true", help="print Markdown, for docs/benchmarks.md")
    options = parser.parse_args()
    options.cases = options.cases.split(",")
    if unknown := set(options.cases) - set(GROUPS):
        parser.error(f"--cases: {', '.join(sorted(unknown))} is none of {', '.join(GROUPS)}")
    return options


def main() -> None:
    options = parsed()
    with ExitStack() as workers:
        figures = run(options, Console(stderr=True), workers)
    show(figures, options.markdown, Console())
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
