"""The file of a registration: the settings that define an analysis, frozen entry by entry.

``<params>.protocol.json`` lies beside the params file. It is a chain: each entry carries the hash
of itself and of the entry before it, so that history can be added to and not rewritten unseen.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError
from vsh_eval.settings import Settings

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

SHORT = 12
"""Characters of a hash that are shown."""
_YEARS = ("years.", "published.offer_start", "protocol.exclusions")


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
    return frozen_of(dict(flat(settings.model_dump(mode="json"))))


def frozen_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Select those of the settings by dotted name that define the analysis.

    Examples
    --------
    >>> frozen_of({"name": "demo", "seed": 1, "cohort.rule": "ever_6"})
    {'seed': 1, 'cohort.rule': 'ever_6'}
    """
    return {
        key: value
        for key, value in values.items()
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


def write(params: Path, entries: tuple[Entry, ...]) -> None:
    """Write a params file's registration whole.

    Parameters
    ----------
    params : Path
        The params file.
    entries : tuple of Entry
        The history, the registration first.
    """
    path = path_of(params)
    listed = [{**entry.written(), "sha256": entry.sha256} for entry in entries]
    text = json.dumps({"format": FORMAT, "entries": listed}, indent=2, ensure_ascii=False)
    part = path.with_suffix(".part")
    part.write_text(f"{text}\n", encoding="utf-8")
    part.replace(path)


def differences(registered: Mapping[str, Any], used: Mapping[str, Any]) -> pd.DataFrame:
    """List the settings that differ, those of other versions at their defaults.

    Parameters
    ----------
    registered, used : mapping
        Setting by dotted name, from `frozen` or an `Entry`.

    Returns
    -------
    DataFrame
        key, registered, used, in a reader's words: one row a setting; none where all are alike.

    Examples
    --------
    >>> differences({"seed": 1, "cohort.rule": "ever_6"}, {"seed": 2, "cohort.rule": "ever_6"})
        key registered used
    0  seed          1    2
    """
    rows = [
        (key, _shown(key, _value(registered, key)), _shown(key, _value(used, key)))
        for key in dict.fromkeys((*registered, *used))
        if not _equal(_value(registered, key), _value(used, key))
    ]
    return pd.DataFrame(rows, columns=["key", "registered", "used"], dtype="str")


def _equal(one: Any, other: Any) -> bool:
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


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by dotted name.

    Examples
    --------
    >>> list(flat({"cohort": {"rule": "ever_6"}, "seed": 1}))
    [('cohort.rule', 'ever_6'), ('seed', 1)]
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _refuse_tampered(name: str, entries: tuple[Entry, ...], hashes: list[str]) -> None:
    before = ""
    for place, (entry, recorded) in enumerate(zip(entries, hashes, strict=True), start=1):
        if entry.sha256 != recorded or entry.previous != before:
            raise ContractError(
                f"{name}: entry {place} of {entry.date} hashes to {entry.sha256[:SHORT]}, its "
                f"record says {recorded[:SHORT]}: it was changed by hand; restore it from version "
                "control and use vsh-eval register --amend."
            )
        before = recorded
