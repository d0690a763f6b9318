"""What a notebook shows of safe things. Every function displays and returns nothing.

Each output carries a mark that `vsh_eval.release.render_page` asks for: what was displayed in any
other way does not get onto a page.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, Literal

from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import Figure
from vsh_eval.release.pages.tables import table_html

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
    image = base64.b64encode(figure.png).decode("ascii")
    texts = {"alt": figure.alt, "caption": figure.caption}
    _display({"image/png": image, "text/plain": figure.alt}, {"image/png": texts})
    title = figure.caption.split(". ")[0].rstrip(".")
    frame = figure.data.frame
    columns = [column for column in figure.columns if frame[column].notna().any()]
    numbers = frame[columns].drop(columns="time_period", errors="ignore").select_dtypes("number")
    if numbers.isna().all(axis=None):
        show_text("None of the numbers of this chart can be shown.")
        return
    table = table_html(
        figure.data,
        caption=f"Numbers of the chart: {title}",
        columns=columns or None,
        areas=figure.areas,
    )
    _display_html(f"<details><summary>Numbers of this chart</summary>\n{table}\n</details>", title)


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
    caption : str
        What the table is about.
    columns, labels, decimals, notes
        As for `vsh_eval.release.pages.tables.table_html`.
    folded : bool
        Whether the reader has to open it; for what is needed seldom.

    Raises
    ------
    DisclosureError
        If the table did not come through `vsh_eval.release.protect`.
    ContractError
        If a column is missing.
    """
    if safe.frame.empty:
        show_text(f"{caption}: there is nothing that can be shown.")
        return
    html = table_html(
        safe, caption=caption, columns=columns, labels=labels, decimals=decimals, notes=notes
    )
    if folded:
        html = f"<details><summary>{escape(caption)}</summary>\n{html}\n</details>"
    _display_html(html, caption)


def show_text(*sentences: str) -> None:
    """Display sentences as one paragraph; Markdown is understood.

    Parameters
    ----------
    *sentences : str
        From `vsh_eval.release.text.gaps`, or with numbers from safe tables; where all are
        empty nothing is displayed.
    """
    text = " ".join(filter(None, sentences))
    if text:
        _display({"text/markdown": text, "text/plain": text}, {})


def show_statement(headline: str, *sentences: str) -> None:
    """Display the message of a page in a box.

    Parameters
    ----------
    headline : str
        The message, one sentence.
    *sentences : str
        What it rests on.
    """
    below = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    html = f'<div class="statement"><p class="headline">{escape(headline)}</p>{below}</div>'
    _display_html(html, " ".join((headline, *sentences)))


@contextmanager
def folded(summary: str) -> Iterator[None]:
    """Put what is displayed within behind a line that opens it; printing shows all of it.

    Parameters
    ----------
    summary : str
        What is found there, one short sentence: a reader who opens nothing has read it.
    """
    html = f"<p><strong>{escape(summary)}</strong></p>"
    with _framed("fold", {"text/html": html, "text/plain": summary}, summary=summary):
        yield


@contextmanager
def side_by_side() -> Iterator[None]:
    """Put the charts displayed within beside each other where the page is wide enough."""
    with _framed("beside", {"text/html": "", "text/plain": ""}):
        yield


@contextmanager
def _framed(frame: Frame, opening: dict[str, Any], **words: str) -> Iterator[None]:
    """Display where a frame begins and where it ends, also if what is within stops."""
    _display(opening, {}, {"opens": frame, **words})
    try:
        yield
    finally:
        _display({"text/html": "", "text/plain": ""}, {}, {"closes": frame})


def _display_html(html: str, text: str) -> None:
    _display({"text/html": html, "text/plain": text}, {})


def _display(
    data: dict[str, Any], metadata: dict[str, Any], mark: Mapping[str, str] | None = None
) -> None:
    from IPython.display import display

    display(data, metadata={**metadata, MARK: {"safe": True, **(mark or {})}}, raw=True)
