"""A whole report in a real browser: every page of a run, not a sample."""

from pathlib import Path

import pytest

from tests.release.test_browser import ARGUMENTS, BROWSER, RUN_AXE, api, axe_core

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")


AT_ANOTHER_WIDTH = """axe.run({runOnly: ['scrollable-region-focusable']}).then(
    found => found.violations.map(one => one.id))"""
"""The rule that hangs on the width; test_browser asks all rules at both widths."""


def test_every_page_is_silent_stays_on_the_machine_fits_and_satisfies_axe(whole):
    pages = sorted((whole.folder / "outputs" / "small" / "release").glob("*.html"))
    script = Path(axe_core.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    assert len(pages) == 9
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        tab = browser.new_page()
        said, asked = [], []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        for page in pages:
            tab.goto(page.as_uri())
            tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            tab.evaluate(script)
            for width, run_axe in ((1280, RUN_AXE), (320, AT_ANOTHER_WIDTH)):
                tab.set_viewport_size({"width": width, "height": 900})
                tab.evaluate("new Promise(drawn => requestAnimationFrame(drawn))")
                assert tab.evaluate(run_axe) == [], (page.name, width)
                assert tab.evaluate("document.documentElement.scrollWidth") == width, page.name
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
