"""What was decided before any effect was looked at: registered, amended, and deviated from.

``vsh-eval register`` freezes the settings that define the analysis beside the params file; how the
file is kept is `registration`'s business, how a run stands to it is said here.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval import academic_year
from vsh_eval.contracts import SettingsError, produces
from vsh_eval.pipeline.records.registration import (
    SHORT,
    Entry,
    differences,
    frozen,
    path_of,
    read,
    write,
)
from vsh_eval.release.text.findings.registration import (
    AFTER_RESULTS,
    DEVIATES,
    NOT_REGISTERED,
    REGISTERED,
    registration_sentences,
)
from vsh_eval.settings import Protocol, Settings, load

__all__ = ["Entry", "Standing", "path_of", "read", "register", "standing", "studied"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands to its registration.

    Attributes
    ----------
    status : str
        ``registered``, ``registered, deviates``, ``registered after results`` or
        ``not registered``.
    registered : bool or None
        True only where it was registered before results and kept; None where it was never
        registered.
    deviations : DataFrame
        key, registered, used: one row a setting that differs from the last entry.
    entries : tuple of Entry
        The history, the registration first.
    last_year : int
        The run's last year of data.
    """

    status: str
    registered: bool | None
    deviations: pd.DataFrame
    entries: tuple[Entry, ...]
    last_year: int

    @produces("deviations", ("key", "registered", "used"), gate="facts")
    def deviating(self) -> pd.DataFrame:
        """Return what differs from what was registered."""
        return self.deviations

    @property
    def exploratory(self) -> bool:
        """Whether the results must be read as exploratory."""
        return self.registered is not True

    @property
    def mark(self) -> str:
        """What each estimate carries: ``registered`` or ``exploratory``."""
        return "exploratory" if self.exploratory else "registered"

    @property
    def plan(self) -> str:
        """``registered``: before the last data year ended, and kept; else why not.

        ``not_registered``, ``deviates`` or ``late``. The day of the last entry counts that changed
        more than the last year of data.
        """
        if self.registered is None:
            return "not_registered"
        if not self.deviations.empty:
            return "deviates"
        earlier: list[Mapping[str, Any]] = [{}, *(entry.frozen for entry in self.entries)]
        fixed = max(
            date.fromisoformat(entry.date)
            for entry, before in zip(self.entries, earlier, strict=False)
            if _changed(entry, before) != {"years.last"}
        )
        in_time = self.registered and fixed <= academic_year.last_day(self.last_year)
        return "registered" if in_time else "late"

    @property
    def date(self) -> str:
        """The day of the registration, '' where there is none."""
        return self.entries[0].date if self.entries else ""

    @property
    def sha256(self) -> str:
        """The hash of the last entry, '' where there is none."""
        return self.entries[-1].sha256 if self.entries else ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a run prints: how it stands, when it was registered, and each deviation."""
        return registration_sentences(
            self.status, self.entries, self.deviations, last_year=self.last_year
        )


def register(params: Path, *, outputs: Path, amend: str = "", today: date | None = None) -> Entry:
    """Freeze the protocol of a params file, or amend a frozen one.

    Parameters
    ----------
    params : Path
        The params file; the registration is written beside it (`path_of`).
    outputs : Path
        The folder of finished runs: a run of that name that is there already is put on record.
    amend : str
        Why the protocol is amended; the entries before stay as they are.
    today : date, optional
        The day; by default that of ``SOURCE_DATE_EPOCH``, else today in UTC.

    Returns
    -------
    Entry
        What was added.

    Raises
    ------
    ContractError
        If the file was changed by hand.
    SettingsError
        If the params are against their rules, the protocol is registered already and no reason to
        amend is given, nothing differs from what is registered, or there is nothing to amend.
    """
    settings = load(params)
    entries = read(params)
    now = frozen(settings)
    _refuse_registered(params, entries, now, amend)
    entry = Entry(
        kind="amendment" if entries else "registration",
        date=(today or current_day()).isoformat(),
        software=f"vsh_eval {version('vsh-eval')}",
        reason=" ".join(amend.split()),
        results_seen=_results_seen(outputs, settings),
        frozen=now,
        previous=entries[-1].sha256 if entries else "",
    )
    write(params, (*entries, entry))
    return entry


def standing(params: Path, settings: Settings | None = None) -> Standing:
    """Say how a run of a params file stands to its registration.

    Parameters
    ----------
    params : Path
        The params file.
    settings : Settings, optional
        What the run uses; read from `params` by default.

    Returns
    -------
    Standing
        A setting that the registering version did not know deviates only where it is not at its
        default.

    Raises
    ------
    ContractError
        If the registration was changed by hand.
    """
    used = load(params) if settings is None else settings
    entries = read(params)
    now = frozen(used)
    deviations = differences(entries[-1].frozen if entries else now, now)
    status = _status(entries, deviations)
    registered = None if status == NOT_REGISTERED else status == REGISTERED
    return Standing(status, registered, deviations, entries, used.years.last)


def studied(table: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Keep the school-years that the protocol's population and exclusions leave.

    Parameters
    ----------
    table : DataFrame
        phase and time_period: school gaps, before the gate.
    protocol : Protocol
        The protocol in use.

    Returns
    -------
    DataFrame
        Its rows of the population's phases, without the excluded years.

    Examples
    --------
    >>> gaps = pd.DataFrame({"phase": ["primary", "special"], "time_period": [202324, 202425]})
    >>> studied(gaps, Protocol(population=("primary",)))["time_period"].tolist()
    [202324]
    """
    keep = table["phase"].isin(protocol.population)
    keep &= ~table["time_period"].isin(protocol.exclusions)
    return table[keep].reset_index(drop=True)


def current_day() -> date:
    """Return the day that reproducible builds ask for, else today."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return now.date()


def _refuse_registered(
    params: Path, entries: tuple[Entry, ...], now: Mapping[str, Any], amend: str
) -> None:
    if not entries:
        if amend.strip():
            raise SettingsError(
                f"{params.name} is not registered, so there is nothing to amend; leave --amend out."
            )
        return
    last = entries[-1]
    known = f"{params.name} is registered since {entries[0].date} ({last.sha256[:SHORT]})"
    if differences(last.frozen, now).empty:
        raise SettingsError(f"{known} and nothing in it has changed; there is nothing to register.")
    if not amend.strip():
        raise SettingsError(f"{known}; add --amend with the reason to change it.")


def _results_seen(outputs: Path, settings: Settings) -> str:
    """Return the last year of a run of that name that was there already, '' where there is none."""
    manifest = outputs / settings.name / "release" / "manifest.json"
    try:
        manifest_read = json.loads(manifest.read_text(encoding="utf-8"))
        return academic_year.label(int(manifest_read["settings"]["years"]["last"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    tables = outputs / f"{settings.name}-draft" / "release" / "tables"
    if (tables / "impact.csv").is_file():
        return academic_year.label(settings.years.last)
    return ""


def _status(entries: tuple[Entry, ...], deviations: pd.DataFrame) -> str:
    if not entries:
        return NOT_REGISTERED
    if not deviations.empty:
        return DEVIATES
    earlier: list[Mapping[str, Any]] = [{}, *(entry.frozen for entry in entries)]
    late = any(_informed(e, before) for e, before in zip(entries, earlier, strict=False))
    return AFTER_RESULTS if late else REGISTERED


def _informed(entry: Entry, before: Mapping[str, Any]) -> bool:
    """Tell whether an entry was made with results in hand that it speaks about.

    A year more of data is the one amendment that earlier results cannot have suggested.
    """
    if not entry.results_seen:
        return False
    seen_to = academic_year.parse(entry.results_seen)
    return _changed(entry, before) != {"years.last"} or seen_to >= int(entry.frozen["years.last"])


def _changed(entry: Entry, before: Mapping[str, Any]) -> set[str]:
    """Return the settings that an entry changed."""
    return {key for key, value in entry.frozen.items() if before.get(key) != value}
