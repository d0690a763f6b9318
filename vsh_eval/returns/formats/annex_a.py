"""Annex A of Ofsted's inspections of children's services, whose child id a lookup leads to the UPN.

A workbook has one sheet a list, or a folder one CSV a list. Lists are known by their columns: their
sheets are called "List 6", "Children in Need" or otherwise. A list is a snapshot: what is open, and
what ended not long before.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import spells as spells_of
from vsh_eval.returns.formats import tabular
from vsh_eval.returns.formats.identity import identify
from vsh_eval.returns.formats.reading import Options, Reading, note

LISTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "CIN": ("CIN Start Date", "CIN Closure Date"),
        "CPP": ("Child Protection Plan Start Date", "Child Protection Plan End Date"),
        "CLA": ("Date Started to be Looked After", "Date Ceased to be Looked After"),
    }
)
"""Beginning and end of the spells of lists 6, 7 and 8."""
_CHILD, _BORN = "Child Unique ID", "Date of Birth"
_COLUMNS = ("child_id", "start", "end", "born")


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
    snapshots = [spells for group in _snapshots(paths) for spells in group]
    spells = pd.concat(snapshots, ignore_index=True)
    typed, unread = spells_of.typed(spells)
    last, gone = spells_of.ended(spells_of.latest(typed), int(typed["year"].max() or 0))
    upns = _lookup(options)
    born = spells.drop_duplicates("child_id").set_index("child_id")["born"]
    ids = pd.Index([*upns.index, *born.index]).unique()
    records = pd.DataFrame({"child_id": ids, "year": 0}).assign(
        upn=upns.reindex(ids).array, born=born.reindex(ids).array
    )
    children = identify(records[records["child_id"].isin(born.index)])
    return Reading(
        {"episodes": spells_of.episodes(last, children)},
        (note("snapshots_only"), *children.notes, *unread, *gone),
    )


def _snapshots(paths: Sequence[Path]) -> Iterator[list[pd.DataFrame]]:
    books = [path for path in paths if path.suffix.lower() in tabular.WORKBOOKS]
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        if path not in books:
            folders.setdefault(path.parent, []).append(path)
    for path in books:
        yield _dated([(path, sheet) for sheet in tabular.sheets(path)])
    for files in folders.values():
        yield _dated([(path, None) for path in files])


def _dated(lists: Sequence[tuple[Path, str | None]]) -> list[pd.DataFrame]:
    """Read the lists of a snapshot, which was taken on the latest day that they name."""
    known = (_CHILD, _BORN, *(name for pair in LISTS.values() for name in pair))
    found = []
    for path, sheet in lists:
        table = tabular.read(path, sheet=sheet, known=known, empty=True)
        names = {tabular.key(name) for name in table}
        for status, (start, end) in LISTS.items():
            if {tabular.key(_CHILD), tabular.key(start)} <= names:
                layout = zip(_COLUMNS, ((_CHILD,), (start,), (end,), (_BORN,)), strict=True)
                rows = tabular.renamed(table, tuple(layout), file=path.name)
                found.append(rows.dropna(subset="child_id").assign(status=status, basis="episode"))
    if not found:
        raise ContractError(
            f"{lists[0][0].name} has none of the lists 6, 7 and 8 of Annex A (columns {_CHILD} and "
            f"{LISTS['CIN'][0]}), must have one; name the workbook that holds them."
        )
    spells = pd.concat(found, ignore_index=True)
    taken = pd.concat([tabular.dates(spells["start"]), tabular.dates(spells["end"])]).max()
    day = pd.Timestamp(0).as_unit("s") if pd.isna(taken) else taken
    return [spells.assign(year=day.toordinal(), written="", reference=day)]


def _lookup(options: Options) -> pd.Series:
    """Return the UPN of every child id of the lookup; a child id with two UPNs has none."""
    lookup = options.section.lookup
    path = Path(lookup.file)
    if not path.is_file():
        raise ContractError(
            f"source.files.annex_a.lookup names {path.name}, which is not there; correct the name "
            "in the params file."
        )
    table = tabular.read(path, known=(lookup.child_id, lookup.upn))
    keys = {tabular.key(name): name for name in table}
    for name in (lookup.child_id, lookup.upn):
        if tabular.key(name) not in keys:
            raise ContractError(
                f"{path.name} has no column {name}, must have it; name its columns in "
                "source.files.annex_a.lookup."
            )
    columns = [keys[tabular.key(name)] for name in (lookup.child_id, lookup.upn)]
    rows = table[columns].set_axis(["child_id", "upn"], axis=1).dropna().drop_duplicates()
    rows = rows[~rows["child_id"].duplicated(keep=False)]
    return rows.set_index("child_id")["upn"]
