"""A whole report in a real browser: every page of a run, not a sample."""

import re

import pytest

from tests.release.test_browser import ARGUMENTS, AXE, BROWSER, RUN_AXE, UNFOLD, api

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")


SMALL_AND_DARK = """axe.run({
    resultTypes: ['violations'], runOnly: ['scrollable-region-focusable', 'color-contrast']
}).then(found => found.violations.map(one => one.id))"""
"""The rules that hang on width and colours; test_browser asks all rules of a narrow page."""
LETTERS = """[...document.querySelectorAll("figure img")].filter(one => one.checkVisibility())
    .map(one => 10 * one.clientWidth / (one.naturalWidth * 0.75))"""
"""Pixels of letters of 10 points, the smallest of a chart whose points are 4/3 of its pixels."""
SHORTEN = """document.querySelectorAll('tbody').forEach(
    body => [...body.rows].slice(4).forEach(row => row.remove()))"""
"""Leaves of each table its first rows, which are made as all the others: axe takes 3 ms a cell."""
SCREENS = ((1280, "light", RUN_AXE), (320, "dark", SMALL_AND_DARK))
MOST_SHEETS = {"index.html": 1, "08_annual_report.html": 2}
"""Pages that are printed for a meeting, and on how many sheets."""


def show_at(tab, width, scheme):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=scheme)
    tab.evaluate("new Promise(drawn => requestAnimationFrame(drawn))")


def pages_in(printed):
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def test_every_page_is_silent_stays_on_the_machine_fits_and_satisfies_axe(whole, trio):
    runs = (whole.outputs / "small", trio.outputs / "trio")
    pages = [page for run in runs for page in sorted((run / "release").glob("*.html"))]
    assert len(pages) == 9 + 2
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        tab, printed = browser.new_page(), 0
        said, asked = [], []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        for page in pages:
            tab.set_viewport_size({"width": SCREENS[0][0], "height": 900})  # charts as on a desk
            tab.goto(page.as_uri())
            sheets = pages_in(tab.pdf(format="A4"))
            printed += sheets
            assert sheets <= MOST_SHEETS.get(page.name, sheets), page.name
            tab.evaluate(UNFOLD)
            tab.evaluate(AXE)
            for screen in SCREENS:
                show_at(tab, *screen[:2])
                assert tab.evaluate("document.documentElement.scrollWidth") == screen[0], page.name
                assert min(tab.evaluate(LETTERS), default=10) >= 10, page.name
            tab.evaluate(SHORTEN)
            for width, scheme, run_axe in SCREENS:
                show_at(tab, width, scheme)
                assert tab.evaluate(run_axe) == [], (page.name, width)
        browser.close()
    assert printed < 40 + 6
    assert said == []
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
