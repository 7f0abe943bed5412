from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from medqnn.report.page import contents, page, plain


def test_contents_are_sections_with_a_title() -> None:
    body = '<section id="a">\n<h2>One &amp; two</h2></section><section id="b"><p>no title</p>'
    assert contents(body) == [("a", "One &amp; two")]


@pytest.mark.parametrize("text", ["a|b", "*a*", "_a_", "`a`", "[a](b)", "<b>", "$x$", "~a~"])
def test_markdown_shows_text_as_it_is(text: str) -> None:
    shown = plain(text)
    assert shown.replace("\\", "") == text
    assert all(shown[i - 1] == "\\" for i, letter in enumerate(shown) if letter in "|*_`[]<>$~")


def test_text_is_one_line() -> None:
    assert plain("a\n| b") == "a \\| b"


def test_what_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        page("leaderboard.html.j2")
