"""Pages of the report: one for each executed notebook, and the index before them.

A page is one file: no script, no font, no image and no style is fetched from anywhere. What a
notebook says with every table (its stamp, how its numbers are protected) a page says once.
"""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any

from vsh_eval.contracts import ContractError
from vsh_eval.release.pages.cells import code_of, failed_step, fit_for_page, without_paths
from vsh_eval.release.text.pages import page as furniture

TEMPLATES = Path(__file__).parent / "template"
type Link = tuple[str, str]
"""href, label."""

_HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)
_STAMP = re.compile(r' <span class="stamp">[^<]*</span>')
_PROTECTION = re.compile(r'<p class="note protection">(.*?)</p>')


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One number of the index, from a safe table: what it is, the number, what belongs to it."""

    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the index says first.

    Attributes
    ----------
    answer : str
        The answer in one sentence.
    sentences : tuple of str
        What it rests on, the most important first.
    chart : str
        The one chart of the page, as `show.figure_html` writes it; '' for none.
    key_figures : tuple of KeyFigure
        The numbers that are shown large.
    decisions : tuple of (str, str)
        What to decide now, and why.
    """

    answer: str
    sentences: tuple[str, ...] = ()
    chart: str = ""
    key_figures: tuple[KeyFigure, ...] = ()
    decisions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One page as the index offers it."""

    href: str
    title: str
    text: str = ""


def render_page(
    executed_notebook: Path,
    html: Path,
    *,
    title: str,
    navigation: Sequence[Link] = (),
    stamp: str = "",
    footer: Mapping[str, str] | None = None,
) -> None:
    """Write an executed notebook as a page.

    Parameters
    ----------
    executed_notebook : Path
        With its outputs.
    html : Path
        The file to write; its name tells which link of the navigation is this page.
    title : str
        The report's title; the page's heading is the notebook's first.
    navigation : sequence of (href, label)
        Every page of the report, in order.
    stamp : str
        What the page must say about its data.
    footer : mapping, optional
        Label and text: run, vintage, cohort rule, version ...

    Raises
    ------
    ContractError
        If the notebook does not exist.
    DisclosureError
        If a cell displays something that did not come through `vsh_eval.release`.
    """
    import nbformat

    if not executed_notebook.is_file():
        raise ContractError(
            f"notebook {executed_notebook.name} does not exist, must be an executed notebook; "
            "run it first."
        )
    executed: Any = nbformat.read(executed_notebook, as_version=4)
    notebook = fit_for_page(executed)
    fragment, protection = _said_once(_fragment(notebook))
    heading, body, contents = _outline(fragment, fallback=title)
    failed = failed_step(notebook)
    opening = f"<h1>{heading}</h1>{'' if failed is None else _failed(failed)}"
    _write(
        html,
        "page.html.j2",
        title=title,
        heading=_plain(heading),
        opening=opening,
        contents=contents,
        parts=furniture.parts_of_page(len(contents)),
        body=body,
        code=code_of(notebook),
        **_frame(html, navigation, stamp, footer or {}, title=title, protection=protection),
    )


def render_index(
    path: Path,
    *,
    title: str,
    summary: Summary,
    cards: Sequence[Card] = (),
    downloads: Sequence[Link] = (),
    navigation: Sequence[Link] = (),
    stamp: str = "",
    footer: Mapping[str, str] | None = None,
) -> None:
    """Write the first page of the report: the answer, the key figures, the way to the rest.

    Parameters
    ----------
    path : Path
        The file to write, usually index.html.
    title : str
        The report's title.
    summary : Summary
        The answer, what it rests on, the chart, the key figures and what to decide now.
    cards : sequence of Card
        The pages.
    downloads : sequence of (href, label)
        Tables and workbook.
    navigation, stamp, footer
        As for `render_page`.
    """
    _write(
        path,
        "summary.html.j2",
        title=title,
        heading=title,
        summary=summary,
        cards=cards,
        downloads=downloads,
        **_frame(path, navigation, stamp, footer or {}, title=title),
    )


def _fragment(notebook: Any) -> str:
    """Turn cells into HTML."""
    text, _ = _exporter().from_notebook_node(notebook)
    return text


@cache
def _exporter() -> Any:
    """Return what fills the template of cells; templates are compiled once for all pages."""
    from nbconvert import TemplateExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    def page_markdown(text: str) -> str:
        renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
        return str(MarkdownWithMath(renderer=renderer).render(without_paths(text)))

    exporter = TemplateExporter(
        template_name="notebook",
        template_file="index.html.j2",
        extra_template_basedirs=[str(TEMPLATES)],
        default_preprocessors=[],  # `fit_for_page` has left nothing to take out
    )
    exporter.register_filter("page_markdown", page_markdown)
    return exporter


def _said_once(text: str) -> tuple[str, list[str]]:
    """Take out what every table says, give like summaries a number, return notes on protection."""
    notes = list(dict.fromkeys(map(unescape, _PROTECTION.findall(text))))
    seen: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        seen[match[1]] = seen.get(match[1], 0) + 1
        again = f" ({seen[match[1]]})" if seen[match[1]] > 1 else ""
        return f"<summary>{match[1]}{again}</summary>"

    return _SUMMARY.sub(numbered, _STAMP.sub("", _PROTECTION.sub("", text))), notes


def _outline(text: str, *, fallback: str) -> tuple[str, str, list[dict[str, str]]]:
    """Take the heading out, give every other one its place and its anchor.

    Returns
    -------
    tuple
        The page's heading, the rest of the page, and the contents from its second-level headings.
    """
    titles = [match for match in _HEADING.finditer(text) if match[1] == "1"]
    heading = _inner(titles[0][2]) if titles else escape(fallback)
    if titles:
        text = text[: titles[0].start()] + text[titles[0].end() :]
    contents: list[dict[str, str]] = []
    anchors: set[str] = set()
    depth = 1

    def placed(match: re.Match[str]) -> str:
        nonlocal depth
        depth = min(max(int(match[1]), 2), depth + 1)
        inner = _inner(match[2])
        anchor = _anchor(_plain(inner), anchors)
        if depth == 2:
            contents.append({"id": anchor, "text": _plain(inner)})
        return f'<h{depth} id="{anchor}">{inner}</h{depth}>'

    return heading, _HEADING.sub(placed, text), contents


def _inner(text: str) -> str:
    return re.sub(r"</?a\b[^>]*>", "", text).strip()


def _plain(text: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", text)).strip()


def _anchor(text: str, anchors: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"
    anchor, again = stem, 2
    while anchor in anchors or anchor == "main":
        anchor, again = f"{stem}-{again}", again + 1
    anchors.add(anchor)
    return anchor


def _failed(step: int) -> str:
    return (
        f'<div class="failed"><p class="headline">{furniture.WORDS["failed_heading"]}</p>'
        f"<p>{furniture.step_failed(step)}</p></div>"
    )


def _frame(
    path: Path,
    navigation: Sequence[Link],
    stamp: str,
    footer: Mapping[str, str],
    *,
    title: str,
    protection: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what stands around every page: links, banner, footer, the edges of printed pages."""
    pages = [
        {"href": href, "label": label, "current": href == path.name} for href, label in navigation
    ]
    here = next((place for place, page in enumerate(pages) if page["current"]), None)
    return {
        "navigation": pages,
        "before": pages[here - 1] if here else None,
        "after": pages[here + 1] if here is not None and here + 1 < len(pages) else None,
        "banner": furniture.banner(stamp),
        "words": furniture.WORDS,
        "footer": {label: without_paths(str(text)) for label, text in footer.items()},
        "protection": protection,
        "wide": _css_string(furniture.WORDS["wide"]),
        "running_title": _css_string(title),
        "running_stamp": _css_string(stamp),
    }


def _css_string(text: str) -> str:
    r"""Write a text as CSS writes it in a page.

    Examples
    --------
    >>> print(_css_string('A "b" </style>'))
    "A \22 b\22  \3c /style>"
    """
    return '"' + re.sub(r'["\\<\n]', lambda match: f"\\{ord(match[0]):x} ", text) + '"'


def _write(path: Path, template: str, **values: Any) -> None:
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    text = _environment().get_template(template).render(style=style.strip(), **values)
    write_whole(path, text.encode("utf-8"))


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it there, so that it is never half written.

    Raises
    ------
    ContractError
        If the folder does not exist.
    """
    if not path.parent.is_dir():
        raise ContractError(
            f"folder {path.parent.name} does not exist, must be there before {path.name} is "
            "written; make it first."
        )
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
