import re
from html import escape

import nbformat
import pandas as pd
import pytest

from tests.release.made import (
    TITLE,
    code_cell,
    gap_rows,
    outputs_of,
    safe,
    sample_index,
    sample_notebook,
    sample_page,
    sealed,
    spoken,
)
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release.pages.cells import without_paths
from vsh_eval.release.pages.report import Summary, render_index, render_page, write_whole
from vsh_eval.release.pages.show import folded, show_table, show_text, side_by_side
from vsh_eval.release.text.phrases.protection import NOTES


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return sample_page(tmp_path_factory.mktemp("page")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return sample_index(tmp_path_factory.mktemp("index")).read_text(encoding="utf-8")


@pytest.mark.parametrize("which", ["page", "index"])
def test_every_page_has_language_title_landmarks_and_one_heading(which, request):
    text = request.getfixturevalue(which)
    assert text.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
    for landmark in ("<header>", '<main id="main"', "<footer>", '<nav aria-label="Pages'):
        assert text.count(landmark) == 1
    assert text.count("<h1>") == 1
    assert text.index('class="skip" href="#main"') < text.index("<header>")
    assert "<strong>SYNTHETIC</strong>: made from an invented authority." in text
    assert "<dt>Rule</dt><dd>cellkey</dd>" in text


@pytest.mark.parametrize("which", ["page", "index"])
def test_nothing_is_fetched_from_anywhere(which, request):
    text = request.getfixturevalue(which)
    assert "http" not in text
    assert re.findall(r"<script[^>]+>", text) == []
    assert "@import" not in text
    assert "url(" not in text


def test_the_notebooks_heading_is_the_pages_and_the_rest_fall_in_behind(page):
    assert "<h1>Is the gap closing?</h1>" in page
    assert f"<title>Is the gap closing? - {TITLE}</title>" in page
    found = re.findall(r'<h([2-6]) id="([^"]+)">([^<]+)</h', page)
    assert found == [
        ("2", "how-wide-is-it", "How wide is it?"),
        ("2", "another-title", "Another title"),
        ("3", "deep", "Deep"),
        ("2", "how-wide-is-it-2", "How wide is it?"),
    ]
    contents = re.search(r'<nav class="contents".*?</nav>', page, re.DOTALL)
    assert contents is not None
    assert re.findall(r'href="#([^"]+)"', contents[0]) == [
        *("how-wide-is-it", "another-title", "how-wide-is-it-2")
    ]


def test_code_stands_at_the_end_by_step_and_section_and_without_paths(page):
    code = page[page.index('<details class="code">') :]
    assert page.count("<pre>") == code.count("<pre>") == 4
    assert re.findall(r"<p><strong>(.*?)</strong></p>", code) == [
        "Step 1, &#34;Is the gap closing?&#34;",
        "Step 2, &#34;Is the gap closing?&#34;",
        "Step 3, &#34;Deep&#34;",
        "Step 4, &#34;How wide is it?&#34;",
    ]
    assert "/srv" not in page
    assert "folder = &#34;2025&#34;" in code


def words_of(page):
    """Return what a reader may see of a page: its text without style, script and pictures."""
    return re.sub(r"<(style|script)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)


@pytest.mark.parametrize("which", ["page", "index"])
def test_what_the_data_are_and_how_they_are_protected_is_said_once_a_page(which, request):
    text = request.getfixturevalue(which)
    said = words_of(text)
    assert said.count("SYNTHETIC") == 1
    assert '@top-right { content: "SYNTHETIC"; }' in text
    if which == "page":
        for note in NOTES["cells"]:
            assert text.count(note) == 1
        assert text.index(NOTES["cells"][0]) > text.index("<footer>")


def test_lines_that_open_something_are_told_apart_and_charts_name_theirs(page):
    lines = re.findall(r"<summary>(.*?)</summary>", page)
    summaries = [re.sub("<[^>]+>", "", line) for line in lines]
    assert len(summaries) == len(set(summaries))
    numbers = [one for one in summaries if one.startswith("Numbers of this chart")]
    assert numbers == [
        "Numbers of this chart: Overall absence, by academic year",
        "Numbers of this chart: Effect of training on the gap in overall absence, by years since "
        "training",
    ]


def test_only_main_and_what_may_scroll_takes_the_focus_by_tabindex(page):
    holders = re.findall(r"<(\w+)[^>]* tabindex", page)
    assert set(holders) == {"main", "div"}
    assert holders.count("div") == page.count('class="scroll"')


def test_the_card_of_the_run_is_the_footer_and_stands_nowhere_else(tmp_path):
    rows = pd.DataFrame({"item": ["Seed"], "value": ["20260901"]})
    card = outputs_of(lambda: show_table(sealed(rows, "facts", gate="facts"), "run_card"))
    text = sample_page(tmp_path, code_cell("show(run.card())", card)).read_text(encoding="utf-8")
    assert "20260901" not in text
    assert "<dt>Rule</dt><dd>cellkey</dd>" in text


@pytest.mark.parametrize(("summary", "kind"), [("Girls < boys.", "fold finding"), ("Boys", "fold")])
def test_a_fold_that_says_a_finding_is_known_from_one_that_names_a_table(summary, kind, tmp_path):
    def show():
        with folded(spoken(summary)):
            show_text(spoken("Within."))

    text = sample_page(tmp_path, code_cell("show()", outputs_of(show))).read_text(encoding="utf-8")
    assert f'<details class="{kind}"><summary>{escape(summary)}</summary>' in text


def test_a_fold_and_a_row_of_charts_stand_around_what_is_shown_within(tmp_path):
    def show():
        with folded(spoken("Girls < boys.")), side_by_side():
            show_text(spoken("Within."), spoken(""))
            show_text(spoken(""))

    outputs = outputs_of(show)
    assert outputs[0].data["text/html"] == "<p><strong>Girls &lt; boys.</strong></p>"
    text = sample_page(tmp_path, code_cell("show()", outputs)).read_text(encoding="utf-8")
    assert re.search(
        r'<details class="fold finding"><summary>Girls &lt; boys\.</summary>\s*'
        r'<div class="beside">\s*'
        r"<p>Within\.</p>\s*</div>\s*</details>",
        text,
    )


def test_a_fold_is_closed_where_what_is_within_stops():
    def stops():
        with folded(spoken("All of it.")):
            raise ValueError("no")

    def tried():
        with pytest.raises(ValueError, match="no"):
            stops()

    kept = outputs_of(tried)
    assert [output.metadata["vsh_eval"].get("closes") for output in kept] == [None, "fold"]


def test_what_was_printed_stays_behind(page):
    assert "A123" not in page
    assert "loaded" not in page


def test_tables_have_captions_that_name_the_box_around_them(page):
    assert page.count("<table>") == page.count("<caption>") == 4
    boxes = re.findall(r'<div class="scroll" role="group" aria-label="([^"]*)"', page)
    assert boxes == re.findall(r"<caption>(.*?)</caption>", page)


def test_the_way_on_and_back(page, index):
    assert '<a href="04_attendance_gap.html" aria-current="page">Attendance gap</a>' in page
    assert '<a rel="prev" href="index.html"><span>Before</span> Summary</a>' in page
    assert '<a rel="next" href="06_impact.html"><span>Next</span> Impact</a>' in page
    assert 'rel="prev"' not in index
    assert 'rel="next" href="04_attendance_gap.html"' in index


def test_the_index_opens_with_the_answer_and_the_key_figures(index):
    assert "The gap &lt;widened&gt;." in index
    opened, figures, files = (
        index.index(words) for words in ("The answer in short", "Key figures", "Download the data")
    )
    assert opened < figures < files
    assert (
        '<p class="value">11.6 <span>points</span></p><p class="detail">percentage points</p>'
        in index
    )
    assert '<a href="04_attendance_gap.html">Is the gap closing?</a>' in index
    assert '<a href="tables/gaps.csv">Levels and gaps</a>' in index


def test_a_failed_notebook_says_so_first_and_shows_no_traceback(tmp_path):
    error = nbformat.v4.new_output(
        "error",
        ename="DataError",
        evalue="schools.csv <bad> in /srv/returns/schools.csv",
        traceback=["File /srv/secret.py line 3"],
    )
    marker = nbformat.v4.new_markdown_cell("An Exception was encountered")
    marker.metadata["tags"] = ["papermill-error-cell-tag"]
    text = sample_page(tmp_path, marker, code_cell("check()", [error])).read_text()
    assert "This page is not finished" in text
    assert text.index("Step 5 failed; what follows") < text.index("How wide is it?")
    assert "DataError: schools.csv &lt;bad&gt; in schools.csv" in text
    assert "secret" not in text
    assert "An Exception was encountered" not in text


@pytest.mark.parametrize(
    "output",
    [
        nbformat.v4.new_output("execute_result", data={"text/plain": "A123"}, execution_count=1),
        nbformat.v4.new_output("display_data", data={"text/html": "<table></table>"}),
    ],
)
def test_what_did_not_come_through_release_gets_onto_no_page(output, tmp_path):
    with pytest.raises(DisclosureError, match="step 5 displays something that did not come"):
        sample_page(tmp_path, code_cell("frame", [output]))
    assert not (tmp_path / "04_attendance_gap.html").exists()


def test_a_page_without_heading_navigation_stamp_or_footer(tmp_path):
    table = outputs_of(
        lambda: show_table(safe(gap_rows()), spoken("Gaps"), columns=["time_period", "gap"])
    )
    path = tmp_path / "plain.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[code_cell("show_table(gaps)", table)]), path)
    render_page(path, tmp_path / "plain.html", title="Tests & more")
    text = (tmp_path / "plain.html").read_text()
    assert "<h1>Tests &amp; more</h1>" in text
    assert "<title>Tests &amp; more</title>" in text
    assert 'class="banner"' not in text
    assert 'class="contents"' not in text
    assert 'class="turn"' not in text


def test_a_heading_without_letters_and_one_called_main_get_anchors_of_their_own(tmp_path):
    path = tmp_path / "plain.ipynb"
    cell = nbformat.v4.new_markdown_cell("# T\n\n## Main\n\n## ?\n\n## ?")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    render_page(path, tmp_path / "plain.html", title="T")
    text = (tmp_path / "plain.html").read_text()
    assert re.findall(r'<h2 id="([^"]+)"', text) == ["main-2", "part", "part-2"]


def test_the_same_notebook_gives_the_same_page(tmp_path):
    first = sample_page(tmp_path).read_bytes()
    assert sample_page(tmp_path).read_bytes() == first


def test_a_notebook_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ContractError, match=r"notebook none\.ipynb does not exist"):
        render_page(tmp_path / "none.ipynb", tmp_path / "none.html", title="T")
    assert sample_notebook(tmp_path).exists()


def test_an_internal_stamp_stands_as_it_is(tmp_path):
    render_index(tmp_path / "index.html", title="T", summary=Summary("s"), stamp="INTERNAL ONLY")
    text = (tmp_path / "index.html").read_text()
    assert "<strong>INTERNAL ONLY</strong></p>" in text
    assert "Key figures" not in text
    assert "one page each" not in text


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    write_whole(path, b"good")

    def full(self, target):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"half")
    assert path.read_bytes() == b"good"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no /home/a/returns/schools.csv here", "no schools.csv here"),
        (r"at C:\Users\a\x.csv", "at x.csv"),
        ("~/data/returns/x.csv", "x.csv"),
        ("2023/24 and/or 3/4", "2023/24 and/or 3/4"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("a / b", "a / b"),
    ],
)
def test_paths_of_the_machine_are_shortened_and_nothing_else(text, said):
    assert without_paths(text) == said
