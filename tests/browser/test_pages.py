"""Every page in a browser: nothing overflows, nothing fails, nothing is asked of the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

KINDS = ("run", "study", "audit", "leaderboard", "explained run", "explanation")
PARTS = ("explained", "embedding", "panels")  # those that need a trained run
LOOKS = ((1280, "light"), (390, "dark"))
UNDECODED = "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)"
BROKEN = "[...document.links].filter(a => !document.querySelector(a.hash)).map(a => a.hash)"


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest, pages: dict[str, Path]) -> Path:
    return pages[request.param]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


def opened(context: BrowserContext, place: Path) -> tuple[Page, list[str]]:
    """The page, and what it complains of or asks for from outside."""
    page, faults = context.new_page(), []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url[:100]))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else faults.append(request.url)
        ),
    )
    page.goto(place.as_uri(), wait_until="load", timeout=120_000)  # a busy machine is slow
    return page, faults


def test_nothing_overflows_or_fails(context: BrowserContext, place: Path) -> None:
    page, faults = opened(context, place)
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(UNDECODED) == []
    assert page.evaluate(BROKEN) == []
    assert page.locator("nav a").count() == page.locator("section:has(> h2)").count() > 0
    assert faults == []


def test_contents_lead_to_their_section(context: BrowserContext, pages: dict[str, Path]) -> None:
    page, _ = opened(context, pages["run"])
    page.get_by_role("link", name="Learning curves").click()
    assert page.url.endswith("#curves")
    assert abs(page.locator("#curves").evaluate("e => e.getBoundingClientRect().top")) < 50


def test_an_explained_run_shows_every_part(context: BrowserContext, pages: dict[str, Path]) -> None:
    page, _ = opened(context, pages["explained run"])
    for place in PARTS:
        assert page.locator(f"section#{place} img").first.is_visible(), place


def test_tables_are_copied_with_tabs(context: BrowserContext, pages: dict[str, Path]) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, faults = opened(context, pages["run"])
    page.locator("#split").get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copy the table: Images by class and part").wait_for()
    rows = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert [line.count("\t") for line in rows] == [6] * len(rows)
    assert rows[0].split("\t") == ["", "training", "", "validation", "", "test", ""]
    assert rows[-1].startswith("All images\t144\t36\t")
    page.locator("#answer").get_by_role("button", name="Copy").first.click()
    page.get_by_text("Copied").first.wait_for()
    assert " to " in page.evaluate("navigator.clipboard.readText()").splitlines()[1]
    assert faults == []


def test_pages_do_without_script(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page, faults = opened(context, pages["run"])
        assert page.get_by_role("button").count() == 0
        assert page.locator("table").first.is_visible()
        page.get_by_role("link", name="Subgroups").click()
        assert page.url.endswith("#subgroups")
    assert faults == []


def test_dark_is_dark_but_behind_figures(context: BrowserContext, pages: dict[str, Path]) -> None:
    page, _ = opened(context, pages["run"])
    grounds = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds[scheme] = [
            page.locator(what).first.evaluate("e => getComputedStyle(e).backgroundColor")
            for what in ("body", ".plot img")
        ]
    assert grounds["light"] == ["rgb(255, 255, 255)", "rgb(255, 255, 255)"]
    assert grounds["dark"] == ["rgb(21, 24, 28)", "rgb(255, 255, 255)"]


def test_print_opens_what_is_folded_and_cuts_nothing(
    context: BrowserContext, pages: dict[str, Path]
) -> None:
    page, _ = opened(context, pages["run"])
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 less margins of 12 mm
    page.emulate_media(media="print")
    assert page.get_by_text("system: hqcm-ebtc").is_visible()
    assert not page.get_by_role("button", name="Copy").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
