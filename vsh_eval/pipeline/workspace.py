"""Where a run keeps its files, and what a notebook sees of it."""

import hashlib
import json
import os
import platform
import shutil
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval import academic_year, names, registry, release, returns, synthetic
from vsh_eval.contracts import ContractError
from vsh_eval.pipeline import catalogue, protocol
from vsh_eval.returns import published
from vsh_eval.settings import Settings, load

FOLDERS: dict[str, Any] = {"source": {"folder"}, "published": {"folder"}}
"""Settings that say where a machine keeps its files; no output names them."""
FROM_LEAVES = (
    *("levels", "gaps", "changes", "trends", "effect_sizes", "sessions", "parts"),
    *("decomposition", "reach"),
)
"""Kinds of table whose numbers of children are those of the rounded leaves."""
BY_VALUES = ("breakdown", "barriers")
"""Kinds of table whose numbers of children are those of the rounded breakdowns."""
BROKEN_DOWN = ("overall_absence", "persistent_absence", "ks2_rwm_expected", "ks4_attainment8")
"""Metrics shown by sex, free school meals, SEN and key stage; more of them take longer."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its settings and its two folders.

    Attributes
    ----------
    settings : Settings
        Everything the run depends on.
    params : Path
        The params file.
    folder : Path
        ``internal/`` (stays in the authority) and ``release/`` (has passed the door) live here.
    interactive : bool
        Whether a person is at work: a table that is missing is then made on the spot.
    """

    settings: Settings
    params: Path
    folder: Path
    interactive: bool

    @property
    def internal(self) -> Path:
        """Where tables that stay in the authority are kept."""
        return self.folder / "internal"

    @property
    def released(self) -> Path:
        """Where files that may leave are kept."""
        return self.folder / "release"

    @property
    def rule(self) -> release.Rule:
        """The disclosure rule."""
        return release.rule_named(self.settings.disclosure.preset)

    @property
    def stamp(self) -> str:
        """What every output must say of its data, '' where nothing."""
        invented = names.SYNTHETIC_STAMP if self.invented else ""
        inside = release.INTERNAL_STAMP if self.rule.exact else ""
        return " | ".join(part for part in (invented, inside) if part)

    @property
    def invented(self) -> bool:
        """Whether the data are invented: made for this run, or by ``vsh-eval synthesise``."""
        folder = self.settings.source.folder
        return self.settings.synthetic or (
            folder is not None and (folder / synthetic.MARKER).is_file()
        )

    @property
    def standing(self) -> protocol.Standing:
        """How the run stands to its registration; read anew each time.

        Raises
        ------
        ContractError
            If the registration was changed by hand.
        """
        return protocol.standing(self.params, self.settings)

    def save(self, name: str, table: pd.DataFrame) -> None:
        """Keep an internal table for the notebooks that come after.

        Raises
        ------
        ContractError
            If the catalogue does not say that some notebook makes it.
        """
        catalogue.maker_of(name, self.settings.source.kind)
        self.internal.mkdir(parents=True, exist_ok=True)
        whole = self.internal / f"{name}.parquet"
        part = whole.with_suffix(".part")
        table.to_parquet(part, index=False)
        part.replace(whole)

    def load(self, name: str) -> pd.DataFrame:
        """Read an internal table, running the notebook that makes it where a person is at work.

        Raises
        ------
        ContractError
            If the table is missing in an unattended run.
        """
        return pd.read_parquet(self._there(name))

    def _there(self, name: str) -> Path:
        """Return an internal table's file, made first where it is missing."""
        path = self.internal / f"{name}.parquet"
        if not path.is_file():
            self._make(name)
        return path

    def has(self, name: str) -> bool:
        """Whether an internal table can be had in this kind of run."""
        kind = self.settings.source.kind
        return any(name in notebook.makes for notebook in catalogue.of_kind(kind))

    def _reference(self) -> str:
        cohort = self.settings.cohort
        if cohort.reference == names.ALL:
            return f"{names.GROUP_LABELS[names.ALL]}, those with a social worker among them"
        return f"Pupils with no social worker in the year or the {cohort.look_back} years before"

    def ledger(self, name: str = "ledger") -> pd.DataFrame | None:
        """Return the leaves published before, None where old years are to be rounded anew.

        An invented authority has published nothing.
        """
        path = self._kept(name)
        keep = self.settings.disclosure.ledger == "keep" and not self.invented
        return pd.read_parquet(path) if keep and path.is_file() else None

    def _kept(self, name: str) -> Path:
        return self.folder.parent / self.settings.name / "internal" / f"{name}.parquet"

    def make_missing(self, notebook: catalogue.Notebook) -> None:
        """Run the notebooks that make what a notebook needs and the run lacks, makers first."""
        for name in notebook.needs:
            if self.has(name) and not (self.internal / f"{name}.parquet").is_file():
                self._make(name)

    def _make(self, name: str) -> None:
        maker = catalogue.maker_of(name, self.settings.source.kind)
        if not self.interactive:
            raise ContractError(
                f"table {name} is missing; run notebook {maker.name} first (vsh-eval run does)."
            )
        from vsh_eval.pipeline import engine

        self.make_missing(maker)
        engine.execute(self, maker)

    def cube(self) -> release.RoundedCube:
        """Round the leaves of the run's panel; the same panel always gives the same cube.

        The seed is drawn from the panel itself, so that nobody who lacks the panel can repeat the
        rounding on a guess.
        """
        return _rounded_leaves(self, self._changed("panel", "ledger"))

    def breakdowns(self) -> release.RoundedBreakdowns:
        """Round the leaves of the run's composition by each characteristic, for `BROKEN_DOWN`."""
        return _rounded_breakdowns(self, self._changed("composition", "breakdown_ledger"))

    def _changed(self, table: str, ledger: str) -> tuple[int, ...]:
        """Return when the files that a rounding depends on were last changed."""
        files = (self._there(table), self._kept(ledger))
        return tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)

    def protect(self, table: pd.DataFrame, *, kind: str) -> release.SafeTable:
        """Send a table through the one door, under the run's rule and with its stamp."""
        own = self.settings.source.kind != "published"
        cube: release.RoundedCube | release.RoundedBreakdowns | None = None
        if own and kind in FROM_LEAVES:
            cube = self.cube()
        elif own and kind in BY_VALUES:
            cube = self.breakdowns()
        if kind == "estimates":
            table = table.assign(protocol=self.standing.mark)
        return release.protect(table, self.rule, kind=kind, cube=cube, stamp=self.stamp)

    def publish(self, name: str, safe: release.SafeTable) -> None:
        """Write a protected table to ``release/tables`` as tidy CSV with its metadata."""
        folder = self.released / "tables"
        folder.mkdir(parents=True, exist_ok=True)
        release.write_table(safe, folder, name, areas=self._areas())

    def published_table(self, name: str) -> release.SafeTable:
        """Read a table back that an earlier notebook of the run has published."""
        return release.read_table(self.released / "tables" / f"{name}.csv", stamp=self.stamp)

    def has_published(self, name: str) -> bool:
        """Whether a notebook of the run has published a table of that name."""
        return (self.released / "tables" / f"{name}.csv").is_file()

    def _areas(self) -> dict[str, release.Area]:
        authority = self.settings.authority
        if self.settings.source.kind != "published":
            return {authority.code: release.Area(authority.name)}
        areas = self.load("areas").fillna("").astype(str)
        columns = ["unit_id", "name", "region_id", "region_name", "old_la_code"]
        return {unit: release.Area(*place) for unit, *place in areas[columns].to_numpy()}

    def publish_figure(self, figure: release.Figure) -> None:
        """Write a figure to ``release/figures`` and show it."""
        folder = self.released / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{figure.name}.png").write_bytes(figure.png)
        release.show_figure(figure)

    def facts(self, rows: dict[str, str]) -> release.SafeTable:
        """Turn facts about the run (no counts of children) into a table that may be shown."""
        table = pd.DataFrame({"item": list(rows), "value": list(rows.values())})
        return self.protect(table, kind="facts")

    def card(self) -> release.SafeTable:
        """Say what is asked of which data, under which rules."""
        settings = self.settings
        kinds = {
            "synthetic": f"{names.SYNTHETIC_STAMP}: an invented authority",
            "returns": "the authority's own returns",
            "published": "DfE's published tables",
        }
        kind = "synthetic" if self.invented else settings.source.kind
        first, last = settings.years.first, settings.years.last
        return self.facts(
            {
                "Authority": f"{settings.authority.name} ({settings.authority.code})",
                "Data": kinds[kind],
                "Years": f"{academic_year.label(first)} to {academic_year.label(last)}, "
                f"changes counted from {academic_year.label(settings.years.baseline)}",
                "Children counted": f"{names.GROUP_LABELS[settings.cohort.group]}: "
                f"{names.COHORT_RULE_LABELS[settings.cohort.rule]}",
                "Compared with": self._reference(),
                "Primary outcome": registry.metric(settings.protocol.primary).label,
                "Protocol": " ".join(self.standing.sentences).removeprefix("Protocol: "),
                "Disclosure rule": "as published by DfE"
                if kind == "published"
                else settings.disclosure.preset,
                "Seed": str(settings.seed),
                "Software": f"vsh_eval {version('vsh-eval')}, Python {platform.python_version()}",
            }
        )


@lru_cache(maxsize=1)
def _rounded_leaves(run: Run, _changed: tuple[int, ...]) -> release.RoundedCube:
    """Round once for all the tables of a page, and anew when a file has changed."""
    panel = run.load("panel")
    return release.round_leaves(
        panel, run.rule, ledger=run.ledger(), seed=_seed(panel, run.settings)
    )


@lru_cache(maxsize=1)
def _rounded_breakdowns(run: Run, _changed: tuple[int, ...]) -> release.RoundedBreakdowns:
    composition = run.load("composition")
    rows = composition[composition["metric"].isin(BROKEN_DOWN)]
    return release.round_breakdowns(
        rows,
        run.rule,
        cube=run.cube(),
        spread=run.load("spread"),
        ledger=run.ledger("breakdown_ledger"),
        seed=_seed(rows, run.settings),
    )


def _seed(table: pd.DataFrame, settings: Settings) -> int:
    secret = int(pd.util.hash_pandas_object(table, index=False).sum() % 2**63)
    return settings.seed ^ secret


def open_run(params: str | Path, run_folder: str | Path = "") -> Run:
    """Open the run a notebook belongs to.

    Parameters
    ----------
    params : str or Path
        The params file, relative to the notebook.
    run_folder : str or Path
        Where the run is being built; blank when a person opens the notebook: the files then go to
        ``outputs/<name>-draft``, which is started anew whenever the settings have changed.

    Returns
    -------
    Run

    Raises
    ------
    ContractError
        If the params file is against its rules.
    """
    path = Path(params).resolve()
    settings = load(path)
    if str(run_folder):
        return Run(settings, path, Path(run_folder).resolve(), interactive=False)
    run = Run(settings, path, outputs_folder(path) / f"{settings.name}-draft", interactive=True)
    start_anew_if_changed(run)
    return run


def outputs_folder(params: Path) -> Path:
    """Return ``outputs/`` of the project a params file belongs to, else of the working folder."""
    for parent in params.resolve().parents:
        if (parent / "outputs").is_dir() or (parent / "pyproject.toml").is_file():
            return parent / "outputs"
    return Path.cwd() / "outputs"


def fingerprint(settings: Settings) -> str:
    """Return a hash of everything the settings say and of the source's files.

    Files are known by name, size and time of change, so that large returns need not be read.
    """
    digest = hashlib.sha256(settings.model_dump_json(exclude=FOLDERS).encode())
    for folder in (settings.source.folder, settings.published.folder):
        if folder is not None and folder.is_dir():
            for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                state = file.stat()
                line = f"{file.relative_to(folder)}|{state.st_size}|{state.st_mtime_ns}"
                digest.update(line.encode())
    return digest.hexdigest()


def source_folder(run: Run) -> Path:
    """Return the folder of the run's returns, inventing the authority first where it is synthetic.

    Raises
    ------
    ContractError
        If the run reads published tables.
    """
    source = run.settings.source
    if source.kind == "returns" and source.folder is not None:
        return source.folder
    if source.kind != "synthetic":
        raise ContractError(
            "source.kind is 'published', and published tables are no returns; "
            "ask this question of a run with source.kind returns or synthetic."
        )
    folder = run.internal / "invented_returns"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        synthetic.synthesise(folder, plan(run.settings))
    return folder


def plan(settings: Settings) -> synthetic.Plan:
    """Return the plan of the invented authority that the settings ask for."""
    return synthetic.Plan(
        schools=settings.source.schools,
        seed=settings.source.seed,
        effect=settings.source.effect,
        first=settings.years.first,
        last=settings.years.last,
        la_code=settings.authority.code,
        name=settings.authority.name,
    )


def declared_programmes(settings: Settings) -> tuple[str, ...]:
    """Return the programmes that the params declare beyond the five of the offer."""
    programmes = settings.exposure.programmes
    return () if isinstance(programmes, str) else programmes


def open_source(run: Run) -> returns.Returns:
    """Open the run's returns: typed tables in memory, nothing written."""
    return returns.open_returns(source_folder(run), years=run.settings.years.all())


def open_published(run: Run) -> published.Published:
    """Read DfE's published files of the run.

    Raises
    ------
    ContractError
        If the files do not hold the authority.
    """
    source, beside = run.settings.source, run.settings.published.folder
    folder = source.folder if source.kind == "published" else beside
    if folder is None:
        raise ContractError("source.folder is missing; name the folder of the published files.")
    found = published.read_published(folder)
    code = run.settings.authority.code
    if code not in set(found.areas["unit_id"]):
        raise ContractError(
            f"authority.code is {code!r}, must be an area of the published files; "
            "look its nine-character code up in the CINO file's new_la_code."
        )
    return found


def start_anew_if_changed(run: Run) -> None:
    """Empty a run's folder where its settings, files or registration were others."""
    mark = run.internal / "fingerprint.json"
    registration = protocol.path_of(run.params)
    registered = registration.read_bytes() if registration.is_file() else b""
    now = json.dumps(
        {
            "fingerprint": fingerprint(run.settings),
            "protocol": hashlib.sha256(registered).hexdigest(),
        }
    )
    if mark.is_file() and mark.read_text(encoding="utf-8") == now:
        return
    if run.folder.exists():
        shutil.rmtree(run.folder)
    run.internal.mkdir(parents=True)
    mark.write_text(now, encoding="utf-8")


def relative(path: Path, start: Path) -> str:
    """Write a path relative to a folder, so that no machine's folders reach a notebook."""
    return Path(os.path.relpath(path, start)).as_posix()
