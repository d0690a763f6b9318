"""The documentation is built strictly, can be read, and says what the software does."""

import re
import shlex
import subprocess
import sys
import tomllib

import pytest
import textstat
import typer

from tests.habits.test_repository import ROOT
from tests.proofs import tutorial
from tests.whole_runs.test_plain_words import GRADE
from vsh_eval.cli import app
from vsh_eval.release.files.exchange import ASKED
from vsh_eval.settings import load

DOCS = ROOT / "docs"
PAGES = sorted(
    page
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    if page.parent.name not in ("adr", "proofs")
)
PROSE = [page for page in PAGES if page.parent.name in ("tutorial", "explanation", "how-to")]
NO_PROSE = re.compile(
    r"^```.*?^```$|^    .*?$|^<!--.*?-->$|^#.*?$|^\|.*?$", re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(
    r"(?:`|^ *|/|&& )vsh-eval ((?:[a-z][a-z-]*|--?[a-z-]+)[^`\n#|&\"]*)", re.MULTILINE
)
PROGRAMMERS = {"new-metric", "new-year", "own-notebook", "spark", "decisions"}
"""Pages for whoever changes the code, and a list."""


def sphinx(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-t", "quick", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Read and resolve every page: what Sphinx said, and the folder of what it read."""
    folder = tmp_path_factory.mktemp("docs")
    strictly = ("-b", "dummy", "-W", "--keep-going", "-d", folder / "trees")
    return sphinx(*strictly, "docs", folder / "site"), folder / "trees"


def test_every_page_is_in_the_documentation_and_every_link_leads_somewhere(built):
    assert (built[0].returncode, built[0].stderr) == (0, "")


def test_a_page_of_prose_and_one_of_tables_satisfy_axe_wide_and_narrow(built, tmp_path):
    from tests.release.test_browser import ARGUMENTS, AXE, BROWSER, RUN_AXE, api

    if BROWSER is None:
        pytest.skip("there is no Chromium on this machine")
    pages = ("tutorial/index", "reference/commands")
    sphinx("-b", "html", "-d", built[1], "docs", tmp_path, *(DOCS / f"{page}.md" for page in pages))
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        tab = browser.new_page()
        for page in pages:
            tab.goto((tmp_path / f"{page}.html").as_uri())
            tab.evaluate(AXE)
            for width in (1280, 320):
                tab.set_viewport_size({"width": width, "height": 900})
                tab.evaluate("new Promise(drawn => requestAnimationFrame(drawn))")
                assert tab.evaluate(RUN_AXE) == [], (page, width)
                assert tab.evaluate("document.documentElement.scrollWidth") == width, page
        browser.close()


def test_links_from_outside_the_documentation_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_a_file_that_a_page_names_is_there():
    named = re.compile(r"`((?:vsh_eval|tests)/[\w/.-]+)`")
    lost = {
        f"{page.stem}: {name}"
        for page in PAGES
        for name in named.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    }
    assert lost == set()


def commands():
    for page in PAGES:
        for written in COMMAND.findall(page.read_text(encoding="utf-8")):
            yield pytest.param(written, id=f"{page.stem}: {written.strip()[:50]}")


@pytest.mark.parametrize("written", list(commands()))
def test_a_command_that_a_page_gives_is_one_that_there_is(written):
    known = typer.main.get_command(app).commands
    name, *given = shlex.split(re.sub(r"[\[\]();,.]+(?=\s|$)|\[", " ", written))
    if name.startswith("-"):
        return
    options = {option for parameter in known[name].params for option in parameter.opts}
    assert {one for one in given if one.startswith("-")} <= options | {"--help"}


@pytest.mark.parametrize(
    "page", [page for page in PROSE if page.stem not in PROGRAMMERS], ids=lambda page: page.stem
)
def test_a_page_can_be_read_at_14(page):
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", page.read_text(encoding="utf-8"))
    prose = NO_PROSE.sub("", text)
    cells = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    prose += " ".join(f"{cell.strip().rstrip('.')}. " for row in cells for cell in row.split("|"))
    plain = re.sub(r"`[^`]*`", "file", prose).replace("*", "")
    assert textstat.flesch_kincaid_grade(plain) <= GRADE


def test_the_tutorials_two_authorities_can_be_pooled(tmp_path):
    (saved,) = (step for step in tutorial.steps() if step.saves)
    (tmp_path / "neighbour.yaml").write_text(saved.text, encoding="utf-8")
    first, second = load(ROOT / "params" / "demo-small.yaml"), load(tmp_path / "neighbour.yaml")
    asked = {"years", "cohort", "exposure"}
    assert first.model_dump(include=asked) == second.model_dump(include=asked)
    shared = sorted(ASKED)
    assert all(getattr(first.protocol, key) == getattr(second.protocol, key) for key in shared)
    assert first.authority != second.authority


def test_the_tutorial_begins_as_it_says(tmp_path):
    """From `init` to the params of the second authority; the runs have a command of their own."""
    wanted = [step for step in tutorial.steps() if step.saves or "init" in step.text]
    wanted.insert(1, tutorial.Step("cd evaluation"))
    here = shlex.join([sys.executable, "-m", "vsh_eval"])
    wanted.insert(
        0, tutorial.Step(f'vsh-eval() {{ PYTHONPATH={shlex.quote(str(ROOT))} {here} "$@"; }}')
    )
    made = tutorial.make(tmp_path, wanted, pause=0)
    assert [done.code for done in made] == [0] * len(wanted)
    assert load(tmp_path / "evaluation" / "params" / "neighbour.yaml").name == "neighbour"


def test_a_step_that_fails_is_the_last_one_made(tmp_path):
    made = tutorial.make(tmp_path, [tutorial.Step("true"), tutorial.Step("echo no; false"),
                                    tutorial.Step("touch made")], pause=0)  # fmt: skip
    assert [(done.code, done.last) for done in made] == [(0, ""), (1, "no")]
    assert not (tmp_path / "made").exists()


def test_the_version_is_the_same_wherever_it_stands():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert cited[1] == project["version"]
    named = {
        version
        for page in PAGES
        for version in re.findall(r"vsh_eval-([0-9.]+)-py3", page.read_text(encoding="utf-8"))
    }
    assert named == {project["version"]}
