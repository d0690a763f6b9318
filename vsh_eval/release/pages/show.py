"""What a notebook shows of safe things. Every function displays and returns nothing.

Each output carries a mark that `vsh_eval.release.render_page` asks for: what was displayed in any
other way does not get onto a page.
"""

import base64
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Literal

from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import Figure
from vsh_eval.release.pages.tables import table_html
from vsh_eval.release.text.phrases.fixed import caption_of, nothing_of, phrase
from vsh_eval.release.text.safe_text import require_safe_text

MARK = "vsh_eval"
"""Key of the metadata of an output that came through release."""
Frame = Literal["fold", "beside"]
"""What stands around a part of a page: a fold that opens, or a row of charts."""


def show_figure(figure: Figure) -> None:
    """Display a chart with its alternative text and caption, its numbers folded below it.

    Parameters
    ----------
    figure : Figure
        From one of the ``draw_`` functions.
    """
    _display_html(figure_html(figure), figure.alt, figure=figure.name)
    title, numbers_of = figure.caption.split(". ")[0].rstrip("."), phrase("numbers_of_chart")
    frame = figure.data.frame
    columns = [column for column in figure.columns if frame[column].notna().any()]
    numbers = frame[columns].drop(columns="time_period", errors="ignore").select_dtypes("number")
    if numbers.isna().all(axis=None):
        show_text(phrase("chart_is_hidden"))
        return
    table = table_html(figure.data, caption=title, columns=columns or None, areas=figure.areas)
    summary = f'{escape(numbers_of)}<span class="unseen">: {escape(title)}</span>'
    _display_html(f"<details><summary>{summary}</summary>\n{table}\n</details>", title)


def show_table(
    safe: SafeTable,
    caption: str,
    *,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    decimals: Mapping[str, int] | None = None,
    notes: bool = True,
    folded: bool = False,
) -> None:
    """Display a safe table.

    Parameters
    ----------
    safe : SafeTable
        Any safe table.
    caption : SafeText or str
        What the table is about: a safe text, or the code of a phrase.
    columns, labels, decimals, notes
        As for `vsh_eval.release.pages.tables.table_html`.
    folded : bool
        Whether the reader has to open it; for what is needed seldom.

    Raises
    ------
    DisclosureError
        If the table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If a column is missing.
    """
    code, caption = str(caption), caption_of(caption)
    if safe.frame.empty:
        show_text(nothing_of(caption))
        return
    html = table_html(
        safe, caption=caption, columns=columns, labels=labels, decimals=decimals, notes=notes
    )
    if folded:
        html = f"<details><summary>{escape(caption)}</summary>\n{html}\n</details>"
    _display_html(html, caption, table=code)


def show_text(*sentences: str) -> None:
    """Display sentences as one paragraph; Markdown is understood.

    Parameters
    ----------
    *sentences : SafeText
        From the functions of `vsh_eval.release.text`; where all are empty nothing is displayed.

    Raises
    ------
    DisclosureError
        If one of them is a plain text.
    """
    text = " ".join(require_safe_text(sentence) for sentence in sentences if sentence)
    if text:
        _display({"text/markdown": text, "text/plain": text})


def show_statement(headline: str, *sentences: str) -> None:
    """Display the message of a page in a box.

    Parameters
    ----------
    headline : SafeText
        The message: its first sentence stands out.
    *sentences : SafeText
        What it rests on; an empty one is not displayed.

    Raises
    ------
    DisclosureError
        If one of them is a plain text.
    """
    texts = [require_safe_text(sentence) for sentence in sentences if sentence]
    below = "".join(f"<p>{escape(sentence)}</p>" for sentence in texts)
    first, stop, rest = require_safe_text(headline).partition(". ")
    head = f'<p class="headline"><strong>{escape(f"{first}{stop}".strip())}</strong>'
    head += f" {escape(rest)}</p>" if rest else "</p>"
    html = f'<div class="statement">{head}{below}</div>'
    _display_html(html, " ".join((headline, *texts)))


@contextmanager
def folded(summary: str) -> Generator[None]:
    """Put what is displayed within behind a line that opens it; print has that line alone.

    Parameters
    ----------
    summary : SafeText or str
        What is found there, one short sentence or the code of a phrase: a reader who opens nothing
        has read it.
    """
    summary = caption_of(summary)
    html = f"<p><strong>{escape(summary)}</strong></p>"
    with _framed("fold", {"text/html": html, "text/plain": summary}, summary=summary):
        yield


@contextmanager
def side_by_side() -> Generator[None]:
    """Put the charts displayed within beside each other where the page is wide enough."""
    with _framed("beside", {"text/html": "", "text/plain": ""}):
        yield


@contextmanager
def _framed(frame: Frame, opening: Mapping[str, str], **words: str) -> Generator[None]:
    """Display where a frame begins and where it ends, also if what is within stops."""
    _display(opening, opens=frame, **words)
    try:
        yield
    finally:
        _display({"text/html": "", "text/plain": ""}, closes=frame)


def figure_html(figure: Figure) -> str:
    """Write a chart with its texts; a small screen gets its narrow drawing."""
    title, stop, rest = figure.caption.partition(". ")
    source = f'<source media="(max-width: 30rem)" srcset="{_data_uri(figure.narrow)}">'
    image = f'<img src="{_data_uri(figure.svg)}" alt="{escape(figure.alt)}">'
    picture = f"<picture>{source}{image}</picture>"
    words = f"<strong>{escape((title + stop).strip())}</strong> {escape(rest)}"
    return f"<figure>\n{picture}\n<figcaption>{words}</figcaption>\n</figure>"


def _data_uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"


def _display_html(html: str, text: str, **mark: str) -> None:
    _display({"text/html": html, "text/plain": text}, **mark)


def _display(data: Mapping[str, str], **mark: str) -> None:
    from IPython.display import display

    display(data, metadata={MARK: {"safe": True, **mark}}, raw=True)
