"""Published years stay as they were published: their sums are kept, and never counted again.

A year that is counted twice, with changes that came late, has two draws of noise around nearly the
same numbers, and a reader with enough draws has the numbers. So a release closes its years.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval import academic_year, cohort, names
from vsh_eval.contracts import ContractError, SettingsError
from vsh_eval.pipeline.records import secret
from vsh_eval.pipeline.workspace import Run

TABLES = {
    "panel": names.PANEL_KEYS,
    "other_rule_panel": names.PANEL_KEYS,
    "composition": (*names.PANEL_KEYS, *names.COMPOSITION_STRATA),
    "make_up": cohort.NEW_ENTRANT_COLUMNS[:4],
    "moments": ("time_period",),
    "spread": ("time_period",),
}
"""The tables whose years are closed, and the order of their rows."""
_OF_SCHOOLS = ("panel", "other_rule_panel", "make_up")
_RECORD = "closed.json"
_MOST_RESTATEMENTS = 2


@dataclass(frozen=True, slots=True)
class _Record:
    """What the closed years were counted by, and how often each was counted anew."""

    counted_by: Mapping[str, Any]
    secret: str
    restated: Mapping[int, int]


def require_own_name(run: Run) -> None:
    """Refuse a run of other data that would take the place of published years.

    Raises
    ------
    SettingsError
        If the last release of the run's name closed years of an authority's returns, and this run
        is of invented, published or pooled data.
    """
    if not _of_real_children(run) and (_folder(run) / _RECORD).is_file():
        raise SettingsError(
            f"name is {run.settings.name}, and the run of that name holds the published years of "
            "an authority's returns, must be a name of its own, as this run is of other data; give "
            "it another name."
        )


def closed_tables(run: Run) -> Mapping[str, pd.DataFrame]:
    """Return the rows of the run's years that are published already.

    Parameters
    ----------
    run : Run
        The run; its last release is looked at.

    Returns
    -------
    mapping of str to DataFrame
        The tables of `TABLES` by name; empty where nothing is closed: at the first release, for
        invented and published data, and where ``disclosure.closed`` is restate.

    Raises
    ------
    ContractError
        If the closed years were counted by another cohort, authority or secret.
    """
    record = _record(run)
    years = set(run.settings.years.all()) & set(record.restated if record else ())
    if record is None or not years or run.settings.disclosure.closed == "restate":
        return {}
    _require_the_same(run, record)
    folder = _folder(run)
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    primary = tables["other_rule_panel"]["metric"].eq(run.settings.protocol.primary)
    tables["other_rule_panel"] = tables["other_rule_panel"][primary]
    return {name: table[table["time_period"].isin(years)] for name, table in tables.items()}


def years_of(tables: Mapping[str, pd.DataFrame]) -> frozenset[int]:
    """Return the years that closed tables hold."""
    return frozenset(int(year) for table in tables.values() for year in table["time_period"])


def joined(
    counted: Mapping[str, pd.DataFrame], closed: Mapping[str, pd.DataFrame], urns: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Put closed years beside those counted now.

    Parameters
    ----------
    counted : mapping of str to DataFrame
        What was counted, among it the tables of `TABLES`.
    closed : mapping of str to DataFrame
        From `closed_tables`.
    urns : DataFrame
        ``urn`` and ``unit_id`` of today: a school that has a successor since is its successor,
        and the sums of two that have one successor add up.

    Returns
    -------
    dict of str to DataFrame
        ``counted`` with the closed rows in it; a year that is closed has no other rows.
    """
    result = dict(counted)
    for name, table in closed.items():
        rows = _successors(table, urns) if name in _OF_SCHOOLS else table
        new = counted[name][~counted[name]["time_period"].isin(set(rows["time_period"]))]
        result[name] = _stacked(rows, new).sort_values(
            list(TABLES[name]), kind="stable", ignore_index=True
        )
    return result


def keep(run: Run) -> None:
    """Close the years of a release: keep their rows in ``internal/closed``.

    Parameters
    ----------
    run : Run
        A whole run that has passed the egress check. Invented and published data, and a run that
        protects nothing, close no year; what an earlier release closed stays closed.
    """
    before, folder = _folder(run), run.internal / "closed"
    record = _record(run)
    if not _publishes(run):
        if record is not None and before != folder:
            shutil.copytree(before, folder, dirs_exist_ok=True)
        return
    years = run.settings.years.all()
    counts = record.restated if record is not None else {}
    restated = {**counts, **dict.fromkeys(years, 0), **restated_by(run)}
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        table = run.load(name)
        if record is not None:
            earlier = pd.read_parquet(before / f"{name}.parquet")
            table = _stacked(earlier[~earlier["time_period"].isin(years)], table)
        table.to_parquet(folder / f"{name}.parquet", index=False)
    written = {
        "counted_by": _counted_by(run),
        "secret": _fingerprint(run),
        "restated": {str(year): count for year, count in sorted(restated.items())},
    }
    (folder / _RECORD).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


def restated_by(run: Run) -> dict[int, int]:
    """Return how often each closed year of a run has been restated, this run included."""
    record = _record(run)
    if record is None:
        return {}
    again = int(run.settings.disclosure.closed == "restate" and _publishes(run))
    years = run.settings.years.all()
    return {y: n + again for y, n in record.restated.items() if y in years}


def kept_years(run: Run) -> frozenset[int]:
    """Return the years of a run that are shown as they were published."""
    as_published = run.settings.disclosure.closed == "keep"
    return frozenset(restated_by(run)) if as_published else frozenset()


def require_few_restatements(run: Run) -> None:
    """Refuse to restate a year a third time.

    Raises
    ------
    ContractError
        Naming the first such year.
    """
    if run.settings.disclosure.closed == "restate":
        for year, count in sorted(restated_by(run).items()):
            if count > _MOST_RESTATEMENTS:
                raise ContractError(
                    f"disclosure.closed is 'restate', and {academic_year.label(year)} was restated "
                    f"{_MOST_RESTATEMENTS} times, must be no more: each time tells more of the "
                    "numbers behind the noise; set it to keep."
                )


def _publishes(run: Run) -> bool:
    """Whether the run releases figures of real children."""
    return _of_real_children(run) and run.settings.disclosure.preset != "none"


def _of_real_children(run: Run) -> bool:
    return run.settings.source.kind == "returns" and not run.invented


def _folder(run: Run) -> Path:
    """Return where the run's last release left its closed years."""
    return run.folder.parent / run.settings.name / "internal" / "closed"


def _record(run: Run) -> _Record | None:
    path = _folder(run) / _RECORD
    if not _of_real_children(run) or not path.is_file():
        return None
    written = json.loads(path.read_text(encoding="utf-8"))
    restated = {int(year): count for year, count in written["restated"].items()}
    return _Record(written["counted_by"], written["secret"], restated)


def _counted_by(run: Run) -> dict[str, Any]:
    """Return the settings that the cells hang on."""
    chosen = run.settings.cohort
    return {
        "authority.code": run.settings.authority.code,
        "cohort.rule": chosen.rule,
        "cohort.basis": chosen.basis,
        "cohort.look_back": chosen.look_back,
        "cohort.schools": chosen.schools,
    }


def _fingerprint(run: Run) -> str:
    return secret.fingerprint(secret.secret_of(run.settings, invented=run.invented))


def _require_the_same(run: Run, record: _Record) -> None:
    for key, now in _counted_by(run).items():
        if now != record.counted_by[key]:
            raise ContractError(
                f"{key} is {now!r}, must be {record.counted_by[key]!r} as in the years that are "
                "published; put it back, give the run another name, or set disclosure.closed to "
                "restate."
            )
    if _fingerprint(run) != record.secret:
        raise ContractError(
            f"the secret has the fingerprint {_fingerprint(run)}, must have {record.secret} as in "
            "the years that are published; put that secret back, or, if it is lost, set "
            "disclosure.closed to restate."
        )


def _successors(table: pd.DataFrame, urns: pd.DataFrame) -> pd.DataFrame:
    """Give schools that have a successor since their successor's number; sums add up."""
    today = dict(zip(urns["urn"], urns["unit_id"], strict=True))
    unit = table["unit_id"].map(today).fillna(table["unit_id"])
    if unit.eq(table["unit_id"]).all():
        return table
    sums = [name for name in table.select_dtypes("number") if name != "time_period"]
    keys = [name for name in table if name not in sums]
    moved = table.assign(unit_id=unit).groupby(keys, as_index=False, sort=False)
    return moved[sums].sum(min_count=1)[list(table)].astype(table.dtypes.to_dict())


def _stacked(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Put rows below one another; categorical text stays so."""
    first, second = first.copy(), second.copy()
    for name in second.select_dtypes("category"):
        words = [*first[name].astype("category").cat.categories, *second[name].cat.categories]
        kind = pd.CategoricalDtype(list(dict.fromkeys(words)))
        first[name], second[name] = first[name].astype(kind), second[name].astype(kind)
    return pd.concat([first, second], ignore_index=True).astype(second.dtypes.to_dict())
