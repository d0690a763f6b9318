"""What a run knows of last year's release, and what has changed since, and why.

A release that ends a year later than the last one keeps of it what is needed to say so, and hands
it on for as long as it is made again: a correction of this year's report still speaks of last
year's.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, produces
from vsh_eval.pipeline.records import closed, manifest
from vsh_eval.pipeline.records.registration import differences, flat, frozen, frozen_of
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.disclosure import SafeTable
from vsh_eval.release.files.open_data import read_table

FOLDER = "last_year"
"""Where in ``internal`` last year's release is kept."""
_GAPS = Path("tables", "gaps.csv")
_KEPT = (Path(manifest.NAME), _GAPS)
KEYS = ("time_period", "phase", "metric", "group", "reference")
_FIGURES = ("gap", "group_level", "reference_level")
_COMPARED = (*_FIGURES, "gap_lower", "gap_upper")
CHANGE_COLUMNS = (*KEYS, *(f"{when}{name}" for name in _FIGURES for when in ("earlier_", "")))
COUNT_COLUMNS = ("result", "rows", "years")
_COUNTED_BY = ("authority.code", "cohort.", "source.kind")
"""Settings that the figures hang on."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Last year's release beside this run.

    Attributes
    ----------
    run : Run
        This run.
    folder : Path
        What is kept of the earlier release.
    """

    run: Run
    folder: Path

    @property
    def record(self) -> Mapping[str, Any]:
        """Return the earlier manifest."""
        text = (self.folder / manifest.NAME).read_text(encoding="utf-8")
        contents: dict[str, Any] = json.loads(text)
        return contents

    @property
    def last_year(self) -> int:
        """The earlier release's last year of data."""
        return int(self.record["settings"]["years"]["last"])

    @property
    def kept_years(self) -> tuple[int, ...]:
        """The years of this run that stay as they were published."""
        return tuple(sorted(closed.kept_years(self.run)))

    @property
    def protocol(self) -> str:
        """How the protocol goes on: kept, amended, new, dropped, none (of both), other.

        Amended: the earlier one is an entry of this registration's history.
        """
        before, standing = str(self.record["protocol"]["sha256"] or ""), self.run.standing
        now = standing.sha256
        if before == now:
            return "kept" if now else "none"
        if not before or not now:
            return "dropped" if before else "new"
        return "amended" if before in {entry.sha256 for entry in standing.entries} else "other"

    @produces("settings_since_last_run", ("key", "earlier", "used"), gate="facts")
    def settings(self) -> pd.DataFrame:
        """Return the settings and the version that differ from the earlier release's, in words."""
        before = frozen_of(dict(flat(self.record["settings"])))
        now = frozen(self.run.settings)
        before["software"] = self.record["software"]["vsh-eval"]
        now["software"] = version("vsh-eval")
        return differences(before, now).rename(columns={"registered": "earlier"})

    @produces("changes_since_last_run", (*CHANGE_COLUMNS, "result", "status"), gate="facts")
    def changes(self, gaps: SafeTable) -> pd.DataFrame:
        """Return the figures that differ from the earlier release's for the same year and group.

        Parameters
        ----------
        gaps : SafeTable
            The released gaps of this run, read back as they are published.

        Returns
        -------
        DataFrame
            `CHANGE_COLUMNS` with ``result``, why: ``counted_otherwise`` where a setting that they
            hang on differs, ``schools_joined`` in a closed year, whose sums are kept, else
            ``restated``.
        """
        both = self._both(gaps)
        same = both["_merge"].eq("both")
        for name in _COMPARED:
            now, before = both[name], both[f"earlier_{name}"]
            same &= now.eq(before) | (now.isna() & before.isna())
        rows = both[both["_merge"].eq("both") & ~same]
        rows = rows.assign(result=[self._why(int(year)) for year in rows["time_period"]])
        hidden = rows[list(_FIGURES)].isna().any(axis=1)
        status = rows["status"].where(~hidden | rows["status"].ne(""), names.UNAVAILABLE)
        return rows.assign(status=status)[[*CHANGE_COLUMNS, "result", "status"]]

    @produces("counts_since_last_run", COUNT_COLUMNS, gate="facts")
    def counts(self, gaps: SafeTable) -> pd.DataFrame:
        """Count figures and years: ``same``, each reason of `changes`, ``added``, ``gone``."""
        both, changed = self._both(gaps), self.changes(gaps)
        merged = both["_merge"]
        pairs = both.assign(result=merged.map({"left_only": "added", "right_only": "gone"}))
        rest = pairs[merged.eq("both")].merge(changed[[*KEYS, "result"]], on=list(KEYS), how="left")
        result = rest["result_y"].astype(object).fillna("same")
        rows = pd.concat([pairs.dropna(subset="result"), rest.assign(result=result)])
        counted = rows.groupby("result")["time_period"].agg(["size", "nunique"]).reset_index()
        return counted.set_axis(list(COUNT_COLUMNS), axis=1)

    def _both(self, gaps: SafeTable) -> pd.DataFrame:
        """Put this run's figures of the authority beside the earlier ones."""
        stamp = str(self.record["stamp"])
        unit = self.run.settings.authority.code
        tables = [
            table.where(unit_id=unit).frame[[*KEYS, *_COMPARED, "status"]]
            for table in (gaps, read_table(self.folder / _GAPS, gate="cells", stamp=stamp))
        ]
        before = tables[1].drop(columns="status")
        before = before.rename(columns={name: f"earlier_{name}" for name in _COMPARED})
        return tables[0].merge(before, on=list(KEYS), how="outer", indicator=True)

    def _why(self, year: int) -> str:
        if year in self.kept_years:
            return "schools_joined"
        keys = self.settings()["key"]
        return "counted_otherwise" if keys.str.startswith(_COUNTED_BY).any() else "restated"


def earlier_of(run: Run) -> Earlier | None:
    """Return last year's release: the one named, else the last of the run's name, else none.

    Parameters
    ----------
    run : Run
        The run; what it keeps goes before what its last release was or kept.
    """
    last_good = run.folder.parent / run.settings.name
    here, there = (folder / "internal" / FOLDER for folder in (run.folder, last_good))
    released = last_good / "release"
    if (here / manifest.NAME).is_file():
        return Earlier(run, here)
    if all((released / name).is_file() for name in _KEPT):
        candidate = Earlier(run, released)
        if candidate.last_year < run.settings.years.last:
            return candidate
    return Earlier(run, there) if (there / manifest.NAME).is_file() else None


def require_release(run: Run, release: Path) -> Path:
    """Return the release of a folder that a run is to take for last year's.

    Parameters
    ----------
    run : Run
        The run that is to be built; nothing of it is written.
    release : Path
        The folder of a finished run, or its ``release`` folder.

    Returns
    -------
    Path
        The ``release`` folder, for `name_earlier`.

    Raises
    ------
    ContractError
        If it is not finished, was changed since, or is of another authority.
    """
    changed = manifest.verify(release)
    if changed:
        raise ContractError(
            f"{changed[0].file} of {release.name} is {changed[0].problem}, must be as it was "
            "released; name the folder of an unchanged release as --previous."
        )
    folder = release / "release" if (release / "release").is_dir() else release
    code = Earlier(run, folder).record["settings"]["authority"]["code"]
    if code != run.settings.authority.code or not (folder / _GAPS).is_file():
        raise ContractError(
            f"{release.name} is a release of {code}, must be one of the gaps of "
            f"{run.settings.authority.code}; name last year's release of this authority."
        )
    return folder


def keep(run: Run) -> None:
    """Keep of last year's release what the next run of this year needs."""
    last_release = earlier_of(run)
    if last_release is not None:
        name_earlier(run, last_release.folder)


def fingerprint(run: Run) -> str:
    """Return a hash of last year's release, '' where there is none."""
    last_release = earlier_of(run)
    return "" if last_release is None else manifest.sha256(last_release.folder / manifest.NAME)


def name_earlier(run: Run, folder: Path) -> None:
    """Take a release for last year's, whatever was before: keep of it what the run needs."""
    to = run.internal / FOLDER
    if folder == to:
        return
    shutil.rmtree(to, ignore_errors=True)
    for name in _KEPT:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, to / name)
