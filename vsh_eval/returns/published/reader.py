"""A folder of published files, read as one release."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vsh_eval import names
from vsh_eval.returns.published.areas import areas_of
from vsh_eval.returns.published.cino import panel_rows, read_outcomes
from vsh_eval.returns.published.comparators import comparator_rows, read_comparators
from vsh_eval.returns.published.files import (
    CINO_ROLES,
    choose_release,
    files_table,
    of_release,
    recognise,
)
from vsh_eval.returns.published.neighbours import no_neighbours, read_neighbours


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """One release of DfE's published tables.

    Attributes
    ----------
    panel : DataFrame
        The panel: source ``published``, cohort rule ``at_31_march``, levels national, region and
        la (ONS codes). Groups ``cin``, ``cpp`` and ``cla`` carry DfE's counts and, in ``rate``,
        its rounded rate; group ``all`` carries a rate only, and so do the three in early years
        and suspensions, whose counts no file of the release has. A number that is not shown is
        missing and ``status`` holds its symbol.
    areas : DataFrame
        ``unit_id``, ``name``, ``old_la_code``, ``level``, ``region_id``, ``region_name``. Regions
        include Inner and Outer London, whose ``region_id`` is London's.
    neighbours : DataFrame
        ``unit_id``, ``neighbour_id``, ``rank`` (1 is the closest), ``closeness``.
    files : DataFrame
        ``role``, ``file_name``, ``rows``, ``sha256``, ``vintage`` and ``used``: every recognised
        file of the folder, and whether it belongs to the release that was read.
    vintage : str
        The release, for example ``2024/25 release``.
    """

    panel: pd.DataFrame
    areas: pd.DataFrame
    neighbours: pd.DataFrame
    files: pd.DataFrame
    vintage: str


def read_published(
    folder: Path, *, vintage: str | None = None, london_parts: bool = False
) -> Published:
    """Read one release of DfE's outcomes of children in need and their comparators.

    Files are recognised by their headers, whatever their names: absence, key stage 2 and key
    stage 4 of children in need (this layout and the earlier ones), the all-pupil measures of the
    Local Authority Interactive Tool (Parquet or CSV), and statistical neighbours. Releases are
    never mixed, because DfE revises its back series: persistent absence of children in need
    in 2020/21 is 47.2% in one release and 41.6% in another.

    Parameters
    ----------
    folder : Path
        Searched with the folders inside it.
    vintage : str, optional
        The release to read, for example ``2022/23 release``; files of others are left out and
        listed as not used. None takes the newest absence file's release.
    london_parts : bool, default False
        Whether Inner and Outer London stand beside London among the panel's regions.

    Returns
    -------
    Published
        The panel is sorted by its keys. 2019/20 absence has status ``x``, a group without pupils
        status ``z`` and 0 pupils; national and regional counts are rounded to 10 by DfE.

    Raises
    ------
    ContractError
        If the folder holds no file of children in need; if a file lacks a column, repeats a row, or
        holds a blank or unknown symbol; or if two files claim one role in the release.
    VintageError
        If the named release is not there; or, without a name, some file is only there of another
        release than the newest absence.

    Notes
    -----
    Level = scale x numerator / denominator: sessions missed over possible sessions (%),
    persistent and severe absentees over pupils (%), pupils at the expected standard over eligible
    pupils (%), the sum of Attainment 8 or of progress scores over the pupils who have one (points).
    DfE's absence and suspensions of all pupils count enrolments, those of children in need count
    children: ``names.COUNTED_DIFFERENTLY`` is said wherever both stand together.

    Source: DfE, Outcomes for children in need, including children looked after by local
    authorities in England; Local Authority Interactive Tool; children's services statistical
    neighbour model. Open Government Licence v3.0.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from vsh_eval.returns.published import example
    >>> with TemporaryDirectory() as folder:
    ...     release = read_published(example.write(Path(folder)))
    >>> release.vintage
    '2024/25 release'
    >>> england = release.panel.query("level == 'national' and metric == 'overall_absence'")
    >>> total = england.query("time_period == 202425 and phase == 'total'")
    >>> total.set_index("group")["rate"].to_dict()
    {'all': 6.78, 'cin': 17.4, 'cla': 43.5, 'cpp': 34.8}
    """
    found = recognise(Path(folder))
    chosen_vintage = choose_release(found, vintage, where=f"folder {Path(folder).name!r}")
    chosen = of_release(found, chosen_vintage)
    outcomes = [
        read_outcomes(chosen[role].path, role=role) for role in CINO_ROLES if role in chosen
    ]
    areas = areas_of(one.table for one in outcomes)
    parts = [panel_rows(one, vintage=chosen_vintage, london_parts=london_parts) for one in outcomes]
    if "comparators" in chosen:
        path = chosen["comparators"].path
        parts.append(
            comparator_rows(
                read_comparators(path),
                areas=areas,
                vintage=chosen_vintage,
                origin=path.name,
                first_year=min(int(one.table["time_period"].min()) for one in outcomes),
                london_parts=london_parts,
            )
        )
    panel = pd.concat(parts, ignore_index=True)
    return Published(
        panel=panel.sort_values(list(names.PANEL_KEYS), ignore_index=True),
        areas=areas,
        neighbours=(
            read_neighbours(chosen["neighbours"].path, areas=areas)
            if "neighbours" in chosen
            else no_neighbours()
        ),
        files=files_table(found, list(chosen.values())),
        vintage=chosen_vintage,
    )
