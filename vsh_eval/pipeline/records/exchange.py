"""From a finished run to a bundle, and from bundles to the params file of a pool."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vsh_eval.contracts import ContractError, Gate, SettingsError
from vsh_eval.effects.pooling import LEAST, MOST_AUTHORITIES
from vsh_eval.pipeline.records import manifest, protocol
from vsh_eval.pipeline.records.registration import differences, flat
from vsh_eval.release.disclosure import SafeTable
from vsh_eval.release.files import exchange
from vsh_eval.release.files.exchange import About, Bundle
from vsh_eval.release.files.open_data import read_table
from vsh_eval.release.text.findings.registration import NOT_REGISTERED
from vsh_eval.release.text.pages.page import pool_title
from vsh_eval.settings import parse
from vsh_eval.synthetic import MARKER

_TABLES: Mapping[str, Gate] = {
    "impact": "estimates",
    "evidence": "facts",
    "attribution": "estimates",
}
_KINDS = ("returns", "synthetic")


def export(run: Path, to: Path | None = None) -> Path:
    """Write the bundle of a finished run, from what it has released.

    Parameters
    ----------
    run : Path
        The run's folder, or its ``release`` folder.
    to : Path, optional
        The zip file to write; by default ``<authority code>-<last year>.zip`` where the command
        is given.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ContractError
        If the run was changed since, asks no effect of training on its own returns, or releases
        exact numbers.
    SettingsError
        If it is no finished run.
    """
    changed = manifest.verify(run)
    if changed:
        raise ContractError(
            f"{changed[0].file} of {run.name} is {changed[0].problem}, must be as it was released; "
            "run the evaluation again before its results are handed on."
        )
    released = run / "release" if (run / "release").is_dir() else run
    path = released / manifest.NAME
    record = json.loads(path.read_text(encoding="utf-8"))
    settings = record["settings"]
    _refuse_kind(run.name, settings)
    results = json.loads((released / "results.json").read_text(encoding="utf-8"))
    about: dict[str, Any] = {
        "software": record["software"]["vsh-eval"],
        "made": protocol.current_day().isoformat(),
        "invented": bool(record["stamp"]),
        "authority": settings["authority"],
        "definitions": {
            **{name: settings[name] for name in ("years", "cohort", "exposure")},
            "protocol": {name: settings["protocol"][name] for name in sorted(exchange.ASKED)},
        },
        "registration": {
            "status": record["protocol"]["status"],
            "sha256": record["protocol"]["sha256"] or None,
            "in_time": results["protocol"]["before_data"],
            "chosen_by": settings["protocol"]["chosen_by"],
        },
        "release_sha256": manifest.sha256(path),
    }
    if record["protocol"]["status"] == NOT_REGISTERED:
        about["registration"]["in_time"] = None
    last = settings["years"]["last"]
    written = to or Path.cwd() / f"{settings['authority']['code']}-{last}.zip"
    exchange.write_bundle(written, about, **_tables(released, record["stamp"]))
    return written


def _refuse_kind(name: str, settings: Mapping[str, Any]) -> None:
    kind, preset = settings["source"]["kind"], settings["disclosure"]["preset"]
    if kind not in _KINDS:
        raise ContractError(
            f"{name} is a {kind} run, must be one of an authority's own returns; only these "
            "estimate what training changed in schools."
        )
    if preset == "none":
        raise ContractError(
            f"{name} was made with disclosure.preset none, must be protected; set it to cellkey "
            "and run again."
        )


def _tables(released: Path, stamp: str) -> dict[str, SafeTable]:
    return {
        name: read_table(released / "tables" / f"{name}.csv", gate=gate, stamp=stamp)
        for name, gate in _TABLES.items()
    }


def prepare(bundles: Sequence[Path], *, name: str, title: str, outputs: Path) -> Path:
    """Check bundles, keep them together, and write the params file of their pool.

    Parameters
    ----------
    bundles : sequence of Path
        Zip files or folders of bundles.
    name : str
        The pool's name: its report goes to ``outputs/<name>``.
    title : str
        What the report calls the authorities together; '' for their number.
    outputs : Path
        The folder ``outputs``.

    Returns
    -------
    Path
        ``outputs/<name>-bundles/<name>.yaml``, beside which the bundles lie.

    Raises
    ------
    ContractError
        If a bundle is refused, or they cannot be pooled (`require_alike`); nothing is written.
    SettingsError
        If the name is against its rule, a bundle is not there, or they are too few or too many.
    """
    read = [exchange.read_bundle(path) for path in bundles]
    require_alike(read)
    first, place = read[0].about, outputs / f"{name}-bundles"
    written = {
        "name": name,
        "authority": {"code": "pool", "name": title or pool_title(len(read))},
        "source": {"kind": "pooled", "folder": "bundles"},
        **first.definitions.written(),
    }
    parse(written, origin=name)
    building = place.with_name(f".{place.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    (building / "bundles").mkdir(parents=True)
    for path, bundle in zip(bundles, read, strict=True):
        code = bundle.about.authority.code
        exchange.copy_bundle(path, building / "bundles" / f"{code}.zip")
    if first.invented:
        (building / "bundles" / MARKER).touch()
    text = yaml.safe_dump(written, sort_keys=False, allow_unicode=True)
    (building / f"{name}.yaml").write_text(text, encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    building.rename(place)
    return place / f"{name}.yaml"


def read_folder(folder: Path | None) -> tuple[Bundle, ...]:
    """Read every bundle of a folder, in the order of their authorities' names.

    Raises
    ------
    ContractError
        If one is refused, or they cannot be pooled (`require_alike`).
    """
    places = [] if folder is None else sorted(folder.iterdir()) if folder.is_dir() else []
    read = [
        exchange.read_bundle(place)
        for place in places
        if place.suffix == ".zip" or (place / exchange.ABOUT).is_file()
    ]
    require_alike(read)
    return tuple(sorted(read, key=lambda bundle: bundle.about.authority.name))


def require_alike(bundles: Sequence[Bundle]) -> None:
    """Refuse to pool what cannot be pooled.

    Raises
    ------
    ContractError
        If there are two of one authority, invented beside real ones, or two whose definitions
        differ, naming the setting and both values.
    SettingsError
        If there are fewer than two bundles or too many.
    """
    if not LEAST <= len(bundles) <= MOST_AUTHORITIES:
        raise SettingsError(
            f"bundles given: {len(bundles)}, must be {LEAST} to {MOST_AUTHORITIES}; collect "
            "one of each authority (vsh-eval exchange writes it)."
        )
    first, *others = (bundle.about for bundle in bundles)
    seen = {first.authority.code: first, first.authority.name: first}
    for about in others:
        for known in (about.authority.code, about.authority.name):
            if known in seen:
                raise ContractError(
                    f"authority {known} has two bundles, must have one; leave the older one out."
                )
            seen[known] = about
        _require_same(first, about)


def _require_same(first: About, other: About) -> None:
    names = first.authority.name, other.authority.name
    if first.invented != other.invented:
        invented = names[0] if first.invented else names[1]
        raise ContractError(
            f"the bundle of {invented} is invented and the other is not, must be both or neither; "
            "leave invented ones out of a real pool."
        )
    differing = differences(*(dict(flat(about.definitions.written())) for about in (first, other)))
    if len(differing):
        key, one, two = differing.iloc[0]
        raise ContractError(
            f"{key} is {one} in {names[0]} and {two} in {names[1]}, must be the same in every "
            "bundle; agree on one value, run again and exchange new bundles."
        )
