"""Annex A of Ofsted's inspections of children's services, whose child id a lookup leads to the UPN.

A workbook has one sheet a list, or a folder one CSV a list. Lists are known by their columns: their
sheets are called "List 6", "Children in Need" or otherwise. A list is a snapshot: what is open, and
what ended not long before.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import coded
from vsh_eval.returns.formats.identity import identify, upns_of
from vsh_eval.returns.formats.reading import Options, Reading, note
from vsh_eval.returns.formats.rows import WORKBOOKS, Sheet, frame, key, renamed, sheets
from vsh_eval.returns.formats.social_care import spells as spells_of

_CHILD = "Child Unique ID"
LISTS: Mapping[str, Mapping[str, tuple[str]]] = {
    status: {
        "child_id": (_CHILD,), "start": (start,), "end": (end,), "born": ("Date of Birth",)
    }
    for status, start, end in (
        ("CIN", "CIN Start Date", "CIN Closure Date"),
        ("CPP", "Child Protection Plan Start Date", "Child Protection Plan End Date"),
        ("CLA", "Date Started to be Looked After", "Date Ceased to be Looked After"),
    )
}  # fmt: skip
"""What is read of lists 6, 7 and 8."""


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    """Read any number of snapshots.

    Parameters
    ----------
    paths : sequence of Path
        Workbooks, or the CSV files of the lists: those of one folder are one snapshot.
    options : Options
        ``section.lookup`` names the table that leads from the child id to the UPN.

    Returns
    -------
    Reading
        ``episodes``: ``CIN`` (list 6, basis ``episode``: Annex A has no dates of plans), ``CPP``
        (list 7) and ``CLA`` (list 8), each as the latest snapshot tells it; one that is open and
        that later snapshots no longer list ended with the last that does. Between two snapshots
        spells may be lacking, as a list keeps what ended for some months only.

    Raises
    ------
    ContractError
        In one sentence, if a file or the lookup cannot be read or has none of the lists.

    Notes
    -----
    Columns: Ofsted, inspections of local authority children's services, Annex A, as the samples of
    LIIA hold them.
    """
    spells = pd.concat(_snapshots(paths), ignore_index=True)
    typed, unread = spells_of.typed(spells)
    last, unended = spells_of.ended(spells_of.latest(typed), int(typed["year"].max() or 0))
    upns = upns_of(options.section.lookup)
    born = spells.drop_duplicates("child_id").set_index("child_id")["born"]
    ids = pd.Index([*upns.index, *born.index]).unique()
    records = pd.DataFrame({"child_id": ids, "year": 0}).assign(
        upn=upns.reindex(ids).array, born=born.reindex(ids).array
    )
    children = identify(records[records["child_id"].isin(born.index)])
    return Reading(
        {"episodes": spells_of.episodes(last, children)},
        (note("snapshots_only"), *children.notes, *unread, *unended),
    )


def _snapshots(paths: Sequence[Path]) -> Iterator[pd.DataFrame]:
    """Yield the spells of each snapshot: a workbook, or the CSV files of a folder."""
    files: dict[Path, list[Path]] = {}
    for path in paths:
        files.setdefault(path if path.suffix.lower() in WORKBOOKS else path.parent, []).append(path)
    for lists in files.values():
        yield _dated([sheet for path in lists for sheet in sheets(path, known=(_CHILD,))])


def _dated(lists: Sequence[Sheet]) -> pd.DataFrame:
    """Read the lists of a snapshot, which was taken on the latest day that they name."""
    by_list = [
        renamed(sheet, frame(sheet), layout).dropna(subset="child_id").assign(status=status)
        for sheet in lists
        for status, layout in LISTS.items()
        if sheet.held(map(key, layout["start"]))
    ]
    if not by_list:
        raise ContractError(
            f"{lists[0].name} has none of the lists 6, 7 and 8 of Annex A (columns Child Unique ID "
            "and CIN Start Date), must have one; name the workbook that holds them."
        )
    spells = pd.concat(by_list, ignore_index=True)
    named = pd.concat([coded.column(coded.day, spells[name]) for name in ("start", "end")])
    day = named.fillna(pd.Timestamp(0).as_unit("s")).max()
    return spells.assign(basis="episode", year=day.toordinal(), written="", reference=day)
