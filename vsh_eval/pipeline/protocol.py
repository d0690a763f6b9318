"""What was decided before any effect was looked at: registered, amended, and deviated from.

``vsh-eval register`` freezes the settings that define the analysis into
``<params>.protocol.json`` beside the params file. The file is a chain: each entry carries the hash
of itself and of the entry before it, so that history can be added to and not rewritten unseen.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError
from vsh_eval.settings import Protocol, Settings, load

FORMAT = 1
"""Raised when a key of the file changes its meaning or goes."""

FROZEN = (
    "authority.code",
    "source.kind",
    "years",
    "cohort",
    "exposure",
    "protocol",
    "published.offer_start",
    "published.donors",
    "seed",
)
"""What defines the analysis. Left out: the run's name, where the files lie, the engine (the same
integers come from each), how an authority was invented (data, not analysis) and the disclosure
rule (how results are shown, not what they are)."""

REGISTERED = "registered"
DEVIATES = "registered, deviates"
AFTER_RESULTS = "registered after results"
NOT_REGISTERED = "not registered"

_YEARS = ("years.", "published.offer_start", "protocol.exclusions")
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a registration: the protocol as it stood on a day.

    Attributes
    ----------
    kind : str
        ``registration`` for the first, ``amendment`` for those after it.
    date : str
        The day, as 2026-11-22.
    software : str
        The package's version.
    reason : str
        Why it was amended; '' for the registration.
    results_seen : str
        The last academic year of a finished run of that name that was there already, as 2024/25;
        '' where there was none.
    frozen : mapping
        Setting by dotted name.
    previous : str
        The hash of the entry before; '' for the first.
    """

    kind: str
    date: str
    software: str
    reason: str
    results_seen: str
    frozen: Mapping[str, Any]
    previous: str

    @property
    def sha256(self) -> str:
        """The hash of everything the entry says, the entry before it included."""
        text = json.dumps(self.written(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def written(self) -> dict[str, Any]:
        """Return the entry as the file holds it, without its hash."""
        return {
            "kind": self.kind,
            "date": self.date,
            "software": self.software,
            "reason": self.reason,
            "results_seen": self.results_seen,
            "previous": self.previous,
            "frozen": dict(self.frozen),
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands to its registration.

    Attributes
    ----------
    status : str
        ``registered``, ``registered, deviates``, ``registered after results`` or
        ``not registered``.
    registered : bool or None
        For `effects.Checks`: True only where it was registered before results and kept; None
        where it was never registered.
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

    @property
    def exploratory(self) -> bool:
        """Whether the results must be read as exploratory."""
        return self.registered is not True

    @property
    def mark(self) -> str:
        """What each estimate carries: ``registered`` or ``exploratory``."""
        return "exploratory" if self.exploratory else "registered"

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
        return tuple(_sentences(self))


def path_of(params: Path) -> Path:
    """Return where a params file's registration lies: beside it.

    Examples
    --------
    >>> path_of(Path("params/demo.yaml")).as_posix()
    'params/demo.protocol.json'
    """
    return params.with_name(f"{params.stem}.protocol.json")


def frozen(settings: Settings) -> dict[str, Any]:
    """Return the settings that define the analysis, by dotted name.

    Parameters
    ----------
    settings : Settings
        Whole settings.

    Returns
    -------
    dict
        Values as JSON knows them; academic years as 202425.
    """
    flat = dict(_flat(settings.model_dump(mode="json")))
    return {
        key: value
        for key, value in flat.items()
        if any(key == part or key.startswith(f"{part}.") for part in FROZEN)
    }


def read(params: Path) -> tuple[Entry, ...]:
    """Read a params file's registration.

    Parameters
    ----------
    params : Path
        The params file.

    Returns
    -------
    tuple of Entry
        Empty where it is not registered.

    Raises
    ------
    ContractError
        If the file is not one that `register` wrote, or an entry is not what its hash says.
    """
    path = path_of(params)
    if not path.is_file():
        return ()
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        given, listed = written["format"], written["entries"]
        hashes = [str(entry.pop("sha256")) for entry in listed]
        entries = tuple(Entry(**entry) for entry in listed)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ContractError(
            f"{path.name} is not a registration; restore it from version control, or take it "
            "away and register again."
        ) from error
    if given != FORMAT:
        raise ContractError(
            f"{path.name} has format {given}, must be {FORMAT}; read it with the version of "
            "vsh_eval that wrote it."
        )
    _refuse_tampered(path.name, entries, hashes)
    return entries


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
        If the protocol is registered already and no reason to amend is given, nothing differs
        from what is registered, there is nothing to amend, or the file was changed by hand.
    SettingsError
        If the params are against their rules.
    """
    settings = load(params)
    entries = read(params)
    now = frozen(settings)
    _refuse_registered(params, entries, now, amend)
    entry = Entry(
        kind="amendment" if entries else "registration",
        date=(today or _today()).isoformat(),
        software=f"vsh_eval {version('vsh-eval')}",
        reason=" ".join(amend.split()),
        results_seen=_results_seen(outputs, settings),
        frozen=now,
        previous=entries[-1].sha256 if entries else "",
    )
    _write(path_of(params), (*entries, entry))
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
    deviations = _deviations(entries[-1].frozen, frozen(used)) if entries else _no_deviations()
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


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _today() -> date:
    """Return the day that reproducible builds ask for, else today."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return now.date()


def _write(path: Path, entries: tuple[Entry, ...]) -> None:
    listed = [{**entry.written(), "sha256": entry.sha256} for entry in entries]
    text = json.dumps({"format": FORMAT, "entries": listed}, indent=2, ensure_ascii=False)
    part = path.with_suffix(".part")
    part.write_text(f"{text}\n", encoding="utf-8")
    part.replace(path)


def _refuse_tampered(name: str, entries: tuple[Entry, ...], hashes: list[str]) -> None:
    before = ""
    for place, (entry, said) in enumerate(zip(entries, hashes, strict=True), start=1):
        if entry.sha256 != said or entry.previous != before:
            raise ContractError(
                f"{name}: entry {place} of {entry.date} hashes to {entry.sha256[:_SHORT]}, its "
                f"record says {said[:_SHORT]}: it was changed by hand; restore it from version "
                "control and use vsh-eval register --amend."
            )
        before = said


def _refuse_registered(
    params: Path, entries: tuple[Entry, ...], now: Mapping[str, Any], amend: str
) -> None:
    if not entries:
        if amend.strip():
            raise ContractError(
                f"{params.name} is not registered, so there is nothing to amend; leave --amend out."
            )
        return
    last = entries[-1]
    known = f"{params.name} is registered since {entries[0].date} ({last.sha256[:_SHORT]})"
    if _deviations(last.frozen, now).empty:
        raise ContractError(f"{known} and nothing in it has changed; there is nothing to register.")
    if not amend.strip():
        raise ContractError(f"{known}; add --amend with the reason to change it.")


def _results_seen(outputs: Path, settings: Settings) -> str:
    """Return the last year of a run of that name that was there already, '' where there is none."""
    manifest = outputs / settings.name / "release" / "manifest.json"
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
        return academic_year.label(int(said["settings"]["years"]["last"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    tables = outputs / f"{settings.name}-draft" / "release" / "tables"
    if (tables / "impact.csv").is_file():
        return academic_year.label(settings.years.last)
    return ""


def _no_deviations() -> pd.DataFrame:
    return pd.DataFrame(columns=["key", "registered", "used"], dtype="str")


def _deviations(registered: Mapping[str, Any], used: Mapping[str, Any]) -> pd.DataFrame:
    rows = [
        (key, _shown(key, _value(registered, key)), _shown(key, _value(used, key)))
        for key in dict.fromkeys((*registered, *used))
        if not _alike(_value(registered, key), _value(used, key))
    ]
    return pd.DataFrame(rows, columns=["key", "registered", "used"], dtype="str")


def _alike(one: Any, other: Any) -> bool:
    """Compare settings; the order of a list means nothing."""
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, one)) == sorted(map(str, other))
    return one == other


def _value(values: Mapping[str, Any], key: str) -> Any:
    """Return a setting; the default where another version did not know it."""
    return values[key] if key in values else _default(key)


def _default(key: str) -> Any:
    model: type[BaseModel] = Settings
    *sections, last = key.split(".")
    for section in sections:
        kind = model.model_fields[section].annotation if section in model.model_fields else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return None
        model = kind
    field = model.model_fields.get(last)
    value = None if field is None or field.is_required() else field.get_default()
    return list(value) if isinstance(value, tuple) else value


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        return ", ".join(_shown(key, one) for one in value) or "none"
    return academic_year.label(value) if key.startswith(_YEARS) else str(value)


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
    changed = {key for key, value in entry.frozen.items() if before.get(key) != value}
    seen_to = academic_year.parse(entry.results_seen)
    return changed != {"years.last"} or seen_to >= int(entry.frozen["years.last"])


def _sentences(said: Standing) -> Iterator[str]:
    if not said.entries:
        yield "Protocol: not registered, so every result is exploratory."
        return
    first = said.entries[0]
    kept = {
        REGISTERED: "and kept" if len(said.entries) == 1 else "and kept as amended",
        DEVIATES: "and deviated from, so every result is exploratory",
        AFTER_RESULTS: "with results already in hand, so every result is exploratory",
    }[said.status]
    yield f"Protocol: registered on {_day(first.date)} {kept}; hash {said.sha256[:_SHORT]}."
    yield _beside_the_data(first, said.last_year)
    for entry in said.entries:
        if entry.kind == "amendment":
            yield f"Amended on {_day(entry.date)}: {entry.reason.rstrip('.')}."
        if entry.results_seen:
            yield (
                f"Warning: a run up to {entry.results_seen} was there at the {entry.kind} of "
                f"{_day(entry.date)}."
            )
    for row in said.deviations.itertuples():
        yield f"Deviation: {row.key} is {row.used}, registered as {row.registered}."


def _beside_the_data(first: Entry, last_year: int) -> str:
    ended = date(academic_year.start(last_year) + 1, 8, 31)
    when = "ended before" if ended < date.fromisoformat(first.date) else "had not ended by"
    return f"The last year of data, {academic_year.label(last_year)}, {when} that day."


def _day(written: str) -> str:
    day = date.fromisoformat(written)
    return f"{day.day} {day:%B %Y}"
