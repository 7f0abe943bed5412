"""A page from its template and what it says."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from medqnn.report.formatting import p_value, whole


def page(template: str, **context: Any) -> str:
    """A template of this package, filled in: text is escaped, and what is missing is an error."""
    environment = Environment(
        loader=PackageLoader("medqnn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"whole": whole, "p_value": p_value}
    return environment.get_template(template).render(context)
