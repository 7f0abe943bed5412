from __future__ import annotations

from collections import Counter

import pytest

from medqnn.report.card_items import QUESTIONS, Question, in_short

TRIPOD = (
    "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15 "
    "16 17 18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c"
)
ACT = "(a) (b)(i) (b)(ii) (b)(iii) (b)(iv) (b)(v) (b)(vi) (b)(vii) (c) (d) (e) (f)"
ITEMS = {"claim": [str(n) for n in range(1, 45)], "tripod": TRIPOD.split(), "act": ACT.split()}


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_of_a_list_is_asked_once(name: str) -> None:
    counts = Counter(item for q in QUESTIONS for own, item in q.places if own == name)
    assert counts == Counter(ITEMS[name])


def test_what_a_run_cannot_tell_is_somebody_s() -> None:
    assert [q.what for q in QUESTIONS if q.run == "no" and not q.people] == []


def test_places_in_short() -> None:
    questions = [Question("t", "a", "1", "2a", "(a)"), Question("t", "b", "3 4")]
    assert in_short(questions) == "CLAIM 1, 3, 4 · TRIPOD+AI 2a · AI Act, Art. 13(3) (a)"
