"""What proofs have in common: the command line, the committed page, its tables and its shares."""

import argparse
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval.numerics.levels.proportions import wilson

PAGES = Path(__file__).resolve().parents[2] / "docs" / "proofs"
DATA = Path(os.environ.get("VSH_EVAL_SHARED", PAGES.parents[2] / "shared" / "data"))

Options = argparse.Namespace
Write = Callable[..., None]


def options(
    module: str, doc: str | None, arguments: list[str] | None, **given: Any
) -> tuple[Options, Write]:
    """Read the command line of a proof.

    Parameters
    ----------
    module : str
        Its file.
    doc : str
        Its docstring, whose first line is the title of its page.
    arguments : list of str, optional
        Those of the process where None.
    **given
        Options by their default, or by what `argparse` is to know of them.

    Returns
    -------
    Namespace, callable
        What was asked, and `write(asked, shown, body)` with the page's title in place.
    """
    name, title = Path(module).stem, str(doc).splitlines()[0]
    parser = argparse.ArgumentParser(prog=f"python -m tests.proofs.{name}", description=title)
    for option, value in given.items():
        known = value if isinstance(value, dict) else _of_default(value)
        parser.add_argument(f"--{option.replace('_', '-')}", **known)
    parser.add_argument("--output", type=Path, default=PAGES / f"{name}.md", help="the page")
    asked = parser.parse_args(arguments)
    if getattr(asked, "only", None) and asked.output == parser.get_default("output"):
        parser.error("--only makes a part of the page; name another file with --output")
    return asked, partial(_write, asked, name, title)


def _of_default(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"action": "store_true"}
    if isinstance(value, list):
        return {"type": type(value[0]), "nargs": "+", "default": value}
    return {"type": type(value), "default": value}


def _write(
    asked: Options, name: str, title: str, body: str, *shown: str, command: str = ""
) -> None:
    """Write the page: its title, the command with the options that are shown, and the rest."""
    said = command or " ".join(
        [f"python -m tests.proofs.{name}", *(f"--{one} {_said(asked, one)}" for one in shown)]
    )
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    text = f"# {title}\n\n    {said}\n\n{body.strip()}\n"
    asked.output.write_text(text, encoding="utf-8")


def _said(asked: Options, option: str) -> str:
    value = getattr(asked, option.replace("-", "_"))
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def table(
    rows: pd.DataFrame | Iterable[Any],
    formats: Mapping[str, str] | str = ".2f",
    *,
    head: Sequence[str] | None = None,
) -> str:
    """Write rows as a Markdown table.

    `formats` is by column, or one for all numbers that are not whole; what is missing is left out.
    `head` names the columns where the rows do not.
    """
    rows = pd.DataFrame(rows, columns=head)
    if rows.empty:
        return "None."
    by_name = {} if isinstance(formats, str) else formats
    other = formats if isinstance(formats, str) else ".2f"
    lines = [[str(name) for name in rows], ["---"] * len(rows.columns)]
    for row in rows.itertuples(index=False):
        cells = zip(rows.columns, row, strict=True)
        lines.append([_cell(value, by_name.get(name, other)) for name, value in cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any, how: str) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    whole = isinstance(value, int | np.integer)
    return f"{value:,}" if whole else format(value, how)


def interval(count: int, of: int) -> tuple[float, float]:
    """Return the Wilson 95 % interval of a share, in per cent."""
    low, high = wilson(np.array([count]), np.array([of]), alpha=0.05)
    return 100 * float(low[0]), 100 * float(high[0])


def share(count: int, of: int) -> str:
    """Write a share in per cent with its interval.

    >>> share(3, 100)
    '3 (1 to 8)'
    """
    low, high = interval(count, of)
    return f"{100 * count / of:.0f} ({low:.0f} to {high:.0f})"
