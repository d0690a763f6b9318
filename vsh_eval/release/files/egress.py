"""The last look: every released file is read through for what must never be in it."""

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval.columns import ROLES, Role
from vsh_eval.contracts import DisclosureError
from vsh_eval.release.disclosure.rules import INTERNAL_STAMP, Rule
from vsh_eval.release.files.contents import UnreadableError, texts
from vsh_eval.release.text.pages.page import EGRESS_CLEAN, EGRESS_FINDS, EGRESS_TOO_SHORT

COUNTS_OF_PEOPLE = frozenset(name for name, role in ROLES.items() if role is Role.CHILDREN)
SHORTEST = 4
"""Identifiers with fewer letters or digits are found in any text, and so are not looked for."""
SHORTEST_NUMBER = 6
"""The same for identifiers that are digits only: shorter ones are ordinary numbers."""

_TOKEN = re.compile(r"[A-Za-z0-9]+")
_WHOLE_NUMBER = re.compile(
    r"(?<![\w.])"  # not the decimals of a number, nor the end of a word
    r"(?!(?<=#)(?:\d{6}|\d{8})(?!\d))"  # not a colour
    r"\d{6,}(?!\w|\.\d)"
)
_ACADEMIC_YEAR = re.compile(r"(19|20)\d{4}")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked for, prepared once for all files."""

    words: Mapping[str, frozenset[str]]
    numbers: frozenset[str]
    compounds: Mapping[str, tuple[tuple[str, str], ...]]
    phrases: Mapping[str, Mapping[str, re.Pattern[str]]]
    rule: Rule
    counts: bool
    internal: bool
    too_short: int


def check(
    folder: Path,
    *,
    identifiers: Collection[str],
    rule: Rule,
    paths: Collection[str] = (),
    secrets: Collection[str] = (),
    planted: Collection[str] = (),
    published: bool = False,
    allow_internal: bool = False,
) -> pd.DataFrame:
    """Read every released file for what must never leave, and fail on a find.

    Parameters
    ----------
    folder : Path
        The release; every file below it is read: pages with their embedded pictures, figures with
        their metadata, workbooks, tables, manifest.
    identifiers : collection of str
        Pupil identifiers and pseudonyms. Compared with whole words, whatever their case; those
        under 4 characters, or under 6 where they are digits only, cannot be told from ordinary
        text and are counted in the findings instead.
    rule : Rule
        The release's rule: counts of people in CSV and JSON must not lie under its threshold
        and must be multiples of its base.
    paths : collection of str
        Pieces of machine paths, for example the home folder and the repository.
    secrets : collection of str
        The pseudonyms' key and anything else that is secret.
    planted : collection of str
        Values planted in the input to see whether they come through.
    published : bool
        Whether all figures are public already, so that small counts may stand.
    allow_internal : bool
        Whether files stamped as internal may be here.

    Returns
    -------
    DataFrame
        Findings, one row a kind of check: ``check``, ``table``, ``result``, ``rows`` (finds, or
        identifiers not looked for), ``of_rows`` (files read), ``message``, ``column``.

    Raises
    ------
    DisclosureError
        Naming the file and the kind of find, never what was found.

    Examples
    --------
    >>> import tempfile
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "page.html").write_text("<p>No names here.</p>")
    ...     rows = check(Path(folder), identifiers=["A123456789012"], rule=rule_named("cellkey"))
    >>> rows["result"].unique().tolist()
    ['pass']
    """
    if rule.exact and not allow_internal:
        raise DisclosureError(
            f"the release was made with rule {rule.name!r}, must be made with a rule that protects;"
            " set disclosure.preset to cellkey."
        )
    folded = {str(name).strip().casefold() for name in identifiers} - {""}
    numbers = {name for name in folded if name.isdigit() and len(name) >= SHORTEST_NUMBER}
    words = {name for name in folded if not name.isdigit() and len(name) >= SHORTEST}
    sown = {str(value).strip().casefold() for value in planted} - {""}
    whole = {"identifier": words, "planted": sown}
    wanted = _Wanted(
        words={kind: frozenset(filter(_TOKEN.fullmatch, some)) for kind, some in whole.items()},
        numbers=frozenset(numbers),
        compounds=_by_longest_word(whole),
        phrases={
            "path": {_bare(text): _place(text) for text in _ways_to_write(paths)},
            "secret": {text: re.compile(re.escape(text)) for text in _ways_to_write(secrets)},
        },
        rule=rule,
        counts=not published and not rule.exact,
        internal=allow_internal,
        too_short=len(folded) - len(numbers) - len(words),
    )
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    for file in files:
        for kind in _finds(file, wanted):
            raise DisclosureError(
                f"{file.relative_to(folder).as_posix()} holds {EGRESS_FINDS[kind]}, must not; "
                "nothing was released: find out where it comes from and run again."
            )
    return _findings(len(files), wanted)


def _by_longest_word(
    wanted: Mapping[str, Collection[str]],
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Index what is made of several words by the longest, so that few are looked for in full."""
    by_word: dict[str, tuple[tuple[str, str], ...]] = {}
    for kind, values in wanted.items():
        for value in values:
            if not _TOKEN.fullmatch(value):
                longest: str = max(_TOKEN.findall(value) or [""], key=len)
                by_word[longest] = (*by_word.get(longest, ()), (kind, value))
    return by_word


def _ways_to_write(values: Collection[str]) -> Iterator[str]:
    """Yield a path or secret as it is and as JSON and addresses write it."""
    for value in values:
        if len(value) > 1:
            yield from {
                value.casefold(),
                json.dumps(value)[1:-1].casefold(),
                value.replace("\\", "/").casefold(),
                value.replace(" ", "%20").casefold(),
            }


def _place(path: str) -> re.Pattern[str]:
    """Return what a path is found by: whole names of folders, not a piece of another word.

    A folder at the root, such as ``/app``, is one only where something of it follows, and neither
    a tag (``</code>``) nor a piece of an address or of another path.
    """
    slashes = path.strip("/\\").count("/") + path.strip("/\\").count("\\")
    before = r"(?<![\w<.-])" if slashes == 0 else r"(?<![\w<-])"
    after = r"[/\\]+[\w.]" if slashes == 0 else r"(?![\w-])"
    return re.compile(before + re.escape(_bare(path)) + after)


def _bare(path: str) -> str:
    return path.rstrip("/\\")


def _finds(file: Path, wanted: _Wanted) -> Iterator[str]:
    """Yield the kinds of find in a file."""
    content = file.read_bytes()
    try:
        for text in (file.name, *texts(file.name, content)):
            yield from _in_text(text, wanted)
    except UnreadableError:
        yield "unreadable"
    reader = _COUNT_READERS.get(file.suffix.lower())
    if wanted.counts and reader is not None:
        written = content.decode("utf-8-sig", errors="replace")
        if any(_is_unsafe(value, wanted.rule) for value in reader(written)):
            yield "count"


def _is_unsafe(count: float, rule: Rule) -> bool:
    """Say whether a number of people is too small to be shown, or was never rounded."""
    return 0 < abs(count) < rule.threshold or count % rule.base != 0


def _in_text(text: str, wanted: _Wanted) -> Iterator[str]:
    folded = text.casefold()
    tokens = set(_TOKEN.findall(folded))
    for kind, words in wanted.words.items():
        if not words.isdisjoint(tokens):
            yield kind
    if wanted.numbers and not wanted.numbers.isdisjoint(_numbers(folded)):
        yield "identifier"
    for word in tokens & wanted.compounds.keys():
        yield from (kind for kind, value in wanted.compounds[word] if value in folded)
    for kind, phrases in wanted.phrases.items():
        # A pattern that looks behind is slow where there is nothing to find.
        if any(bare in folded and phrase.search(folded) for bare, phrase in phrases.items()):
            yield kind
    if not wanted.internal and INTERNAL_STAMP.casefold() in folded:
        yield "internal"


def _numbers(text: str) -> set[str]:
    """Return the whole numbers of six digits or more that are not academic years."""
    return {digits for digits in _WHOLE_NUMBER.findall(text) if not _is_year(digits)}


def _is_year(number: str) -> bool:
    if not _ACADEMIC_YEAR.fullmatch(number):
        return False
    return (int(number[:4]) + 1) % 100 == int(number[4:])


def _csv_counts(written: str) -> Iterator[float]:
    for row in csv.DictReader(io.StringIO(written)):
        for name in COUNTS_OF_PEOPLE & row.keys():
            yield _value(row[name])


def _json_counts(written: str) -> Iterator[float]:
    try:
        waiting: list[Any] = [json.loads(written)]
    except json.JSONDecodeError:
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield from (_value(node[name]) for name in COUNTS_OF_PEOPLE & node.keys())
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


_COUNT_READERS: Mapping[str, Callable[[str], Iterator[float]]] = {
    ".csv": _csv_counts,
    ".json": _json_counts,
}


def _value(cell: object) -> float:
    """Return a cell's number, 0 where it is a symbol, blank or anything else."""
    try:
        return float(str(cell).replace(",", ""))
    except ValueError:
        return 0.0


def _findings(files: int, wanted: _Wanted) -> pd.DataFrame:
    """Say what was looked for and not found."""
    rows: list[dict[str, object]] = [
        {
            "check": f"egress_{kind}",
            "table": "release",
            "result": "pass",
            "rows": 0,
            "of_rows": files,
            "message": EGRESS_CLEAN.format(disclosive),
            "column": "",
        }
        for kind, disclosive in EGRESS_FINDS.items()
        if kind != "count" or wanted.counts
    ]
    if wanted.too_short:
        rows.append(
            rows[0]
            | {
                "check": "egress_short_identifiers",
                "result": "warn",
                "rows": wanted.too_short,
                "message": EGRESS_TOO_SHORT,
            }
        )
    return pd.DataFrame(rows)
