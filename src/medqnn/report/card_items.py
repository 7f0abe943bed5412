"""What three lists ask of a published model, in our words, and who can answer.

The lists are CLAIM's update of 2024 (Tejani et al., Radiology: Artificial Intelligence 6, e240300),
TRIPOD+AI (Collins et al., BMJ 385, e078378, 2024) and the instructions for use of Article 13(3) of
the EU's AI Act (Regulation 2024/1689). One question may stand for items of several lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

AUTHORS = "the study's authors"
DATA = "whoever collected the data"
READERS = "whoever labelled the images"
PROVIDER = "the provider"
LISTS = {"claim": "CLAIM", "tripod": "TRIPOD+AI", "act": "AI Act, Art. 13(3)"}


class Question(NamedTuple):
    """One thing to be told.

    Attributes:
        topic: section of the card that tells it.
        what: in our words.
        claim: items of CLAIM 2024, apart by spaces; so the next two.
        tripod: items of TRIPOD+AI.
        act: points of Article 13(3).
        run: whether a run tells it: "yes", "no", or the part of the card's context that must be
            there, which another command writes.
        people: who can tell what a run cannot; empty if nothing is left.
    """

    topic: str
    what: str
    claim: str = ""
    tripod: str = ""
    act: str = ""
    run: str = "no"
    people: str = ""

    @property
    def places(self) -> Iterator[tuple[str, str]]:
        """List and item of each place that asks it."""
        for name, items in zip(LISTS, (self.claim, self.tripod, self.act), strict=True):
            yield from ((name, item) for item in items.split())


QUESTIONS = (
    Question("use", "The kind of method", claim="1", tripod="1", run="yes"),
    Question("use", "Medical background, and what is known already", "3", "3a", people=AUTHORS),
    Question("use", "Purpose, people it is for, users", "", "3b", "(b)(i)", "yes", PROVIDER),
    Question("use", "Known inequalities in health", tripod="3c", people=AUTHORS),
    Question("use", "Aims and hypotheses", "4 6", "4", run="yes", people=AUTHORS),
    Question("use", "What it would mean for practice", claim="41", people=AUTHORS),
    Question("data", "Sources of the data", "7", "5a", run="yes", people=DATA),
    Question("data", "Collected before the question was put, or after", claim="5", people=DATA),
    Question("data", "Dates of collection", tripod="5b", people=DATA),
    Question("data", "Places of collection, and care given there", tripod="6a 6c", people=DATA),
    Question("data", "Who was included, who was not", "8", "6b", people=DATA),
    Question("data", "How identities were removed", claim="11", people=DATA),
    Question("data", "Scanners and protocols", claim="13", people=DATA),
    Question("data", "Numbers of patients and images", "35", "20a 21", run="yes", people=DATA),
    Question("data", "Age, sex and illness of those shown", "36", "20b", people=DATA),
    Question("data", "What the input must be like", "", "9a 9b", "(b)(vi)", "yes"),
    Question("reference", "What the truth is taken from, and why", "14 15", "8a", people=READERS),
    Question("reference", "Who labelled, with what experience", "16", "8b 9c", people=READERS),
    Question("reference", "How test images were labelled", claim="17", people=READERS),
    Question("reference", "How far readers agree", claim="18", people=READERS),
    Question("reference", "Whether readers knew of other findings", tripod="8c", people=READERS),
    Question("preparation", "Steps from file to input", "9 10", "7 12b", run="yes"),
    Question("preparation", "What is missing, and what was done", "12", "11", run="yes"),
    Question("split", "How the parts were drawn, and apart by what", "19 20", "12a", run="yes"),
    Question("split", "How training and test images differ", tripod="16 20c", people=AUTHORS),
    Question("split", "Why so many", "21", "10", people=AUTHORS),
    Question("network", "Structure and outputs", "22", "12c 15", run="yes"),
    Question("network", "The whole model, for use by others", tripod="22", run="yes"),
    Question("network", "Software", claim="23", run="yes"),
    Question("training", "Starting weights, training, augmentation", "24 25", run="yes"),
    Question("training", "Choice of the final weights", claim="26 27", run="yes"),
    Question("training", "Classes of unlike size", tripod="13", run="yes"),
    Question("judged", "Scores, and how certain they are", "28 29", "12e", run="yes"),
    Question("judged", "Differences between places or groups", tripod="12d", people=AUTHORS),
    Question("judged", "Updating, and how predictions are made", "", "12f 12g", run="yes"),
    Question("judged", "Test on images of the same source", claim="32", run="yes"),
    Question("judged", "Test on images of another source", claim="33", people=AUTHORS),
    Question("results", "Performance", "37 38", "23a", "(b)(ii)", "yes", PROVIDER),
    Question("groups", "Performance by group", "", "14", "(b)(v)", "attributes", AUTHORS),
    Question("groups", "Performance by place", tripod="23b", people=AUTHORS),
    Question("robust", "What worse images do to it", claim="30", run="robustness"),
    Question("errors", "Images it gets wrong", claim="39", run="yes"),
    Question("errors", "Uses and misuses that may do harm", act="(b)(iii)", people=PROVIDER),
    Question("reading", "Why it answers so", "31", "", "(b)(iv)", run="explained"),
    Question("reading", "How to read an answer", act="(b)(vii)", run="yes"),
    Question("reading", "Oversight by people", act="(d)", people=PROVIDER),
    Question("running", "Hardware", act="(e)", run="yes", people=PROVIDER),
    Question("running", "Poor or missing input", tripod="27a", run="yes", people=AUTHORS),
    Question("running", "What users must do and know", tripod="27b", people=AUTHORS),
    Question("running", "Changes planned, or made since", "", "24", "(c)", people=PROVIDER),
    Question("running", "Logs", act="(f)", run="yes", people=PROVIDER),
    Question("limits", "Limits", "40", "26", run="yes", people=AUTHORS),
    Question("limits", "What the results mean, what comes next", "", "25 27c", people=AUTHORS),
    Question("declared", "Summary", "2", "2", people=AUTHORS),
    Question("declared", "Maker and contact", act="(a)", people=PROVIDER),
    Question("declared", "Software, model, data for others", "43", "18e 18f", "", "yes", AUTHORS),
    Question("declared", "Protocol and registration", "34 42", "18c 18d", people=AUTHORS),
    Question("declared", "Ethics approval", tripod="17", people=AUTHORS),
    Question("declared", "Funding and interests", "44", "18a 18b", people=AUTHORS),
    Question("declared", "Part that patients and the public had", tripod="19", people=AUTHORS),
)


def asked(topic: str) -> list[Question]:
    """The questions of a section."""
    return [question for question in QUESTIONS if question.topic == topic]


def in_short(questions: list[Question]) -> str:
    """All places of some questions: "CLAIM 3, 4 · TRIPOD+AI 3a"."""
    found = {name: [i for q in questions for n, i in q.places if n == name] for name in LISTS}
    return " · ".join(f"{LISTS[name]} {', '.join(i)}" for name, i in found.items() if i)
