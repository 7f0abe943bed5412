"""A page, or a Markdown file, from its template and what it says."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from medqnn import __version__
from medqnn.report.formatting import p_value, whole

PAGE = ".html.j2"  # what the name of a page's template ends in
SCRIPT = (files("medqnn.report") / "templates" / "copy.js").read_text(encoding="utf-8")
DIGEST = b64encode(sha256(SCRIPT.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{DIGEST}'; "
    "base-uri 'none'; form-action 'none'"
)  # a browser loads nothing from outside, and runs no script but our own
_SECTION = re.compile(r'<section id="([\w-]+)">\s*<h2>(.*?)</h2>', re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")


def page(template: str, **context: Any) -> str:
    """A template of this package, filled in.

    Args:
        template: its file's name. In one that ends in `PAGE`, text is escaped for HTML; in others
            the template escapes it, by the filter ``plain``.
        context: what it says; what is missing is an error.
    """
    environment = Environment(
        loader=PackageLoader("medqnn.report"),
        autoescape=lambda name: bool(name and name.endswith(PAGE)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "whole": whole,
        "p_value": p_value,
        "contents": contents,
        "plain": plain,
    }
    environment.globals |= {
        "script": Markup(SCRIPT),  # our own file
        "policy": POLICY,
        "generator": f"medqnn {__version__}",
    }
    return environment.get_template(template).render(context)


def contents(body: str) -> list[tuple[str, Markup]]:
    """Id and title of each section of a page's body that has both, in order."""
    return [(place, Markup(title)) for place, title in _SECTION.findall(body)]  # escaped there


def plain(text: Any) -> str:
    """Text on one line that Markdown shows as it is, in a table's cell too."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
