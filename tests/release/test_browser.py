"""The pages in a real browser: nothing fetched or broken, usable by keyboard and narrow."""

import shutil
from pathlib import Path

import pytest

from tests.release.made import sample_index, sample_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe_core = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")

AXE = Path(axe_core.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """axe.run({resultTypes: ['violations']}).then(found => found.violations.map(
    one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 120)).join(' | ')))"""
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    return {"page": sample_page(folder), "index": sample_index(folder)}


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, pages):
    opened = []

    def go(name, width=1280):
        tab = browser.new_page(viewport={"width": width, "height": 900})
        opened.append(tab)
        tab.goto(pages[name].as_uri())
        return tab

    yield go
    for tab in opened:
        tab.close()


@pytest.mark.parametrize("name", ["page", "index"])
def test_a_narrow_page_satisfies_every_rule(visit, name):
    """`tests/whole_runs` asks the same of each real page on a wide screen."""
    tab = visit(name, 320)
    tab.evaluate(UNFOLD)
    tab.evaluate(AXE)
    assert tab.evaluate(RUN_AXE) == []


@pytest.mark.parametrize("name", ["page", "index"])
def test_the_first_stop_by_keyboard_is_the_skip_link_and_it_leads_to_main(visit, name):
    tab = visit(name)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


OPENS_CODE = "document.querySelector('details.code').open"
SCROLLS = "document.querySelectorAll('.scroll[tabindex]').length"


def test_code_is_one_stop_and_a_table_is_one_only_where_it_scrolls(visit):
    tab = visit("page")
    tab.focus("details.code summary")
    tab.keyboard.press("Enter")
    assert tab.evaluate(OPENS_CODE)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.rel") == "prev"
    tab.evaluate(UNFOLD)
    tab.wait_for_function(f"{SCROLLS} === 2")
    tab.set_viewport_size({"width": 320, "height": 900})
    tab.wait_for_function(f"{SCROLLS} === 4")


def test_a_dark_screen_gets_a_dark_page_and_paper_a_light_one(visit):
    tab = visit("page")
    shade = "getComputedStyle(document.body).backgroundColor"
    tab.emulate_media(color_scheme="dark")
    assert tab.evaluate(shade) == "rgb(18, 18, 18)"
    tab.emulate_media(color_scheme="dark", media="print")
    assert tab.evaluate(shade) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("name", ["page", "index"])
def test_the_page_prints_without_code_and_links(visit, name, tmp_path):
    tab = visit(name)
    printed = tmp_path / "page.pdf"
    tab.pdf(path=printed, format="A4")
    assert printed.read_bytes().startswith(b"%PDF")
    tab.emulate_media(media="print")
    hidden = tab.evaluate(
        "[...document.querySelectorAll('.code, header nav, .for-print')]"
        ".every(one => getComputedStyle(one).display === 'none')"
    )
    assert hidden


def test_print_has_what_is_folded_and_code_only_where_the_switch_asks_for_it(visit):
    tab = visit("page")
    seen = (
        "[...new Set([...document.querySelectorAll('details table, .code pre')]"
        ".filter(one => one.checkVisibility()).map(one => one.tagName))]"
    )
    tab.emulate_media(media="print")
    assert tab.evaluate(seen) == []
    tab.emulate_media(media="screen")
    tab.check("#print-all")
    assert tab.evaluate(seen) == []
    tab.emulate_media(media="print")
    assert tab.evaluate(seen) == ["TABLE", "PRE"]
