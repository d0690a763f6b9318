"""Where a run keeps its files, and what a notebook sees of it."""

import hashlib
import inspect
import json
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pandas as pd

from vsh_eval import academic_year, names, returns, synthetic
from vsh_eval.contracts import ContractError, Gate, produces
from vsh_eval.metrics.characteristics import Moments
from vsh_eval.panel import Comparison, is_published
from vsh_eval.pipeline import catalogue
from vsh_eval.pipeline.records import protocol, secret
from vsh_eval.pipeline.records.up_to_date import outputs_folder
from vsh_eval.release.disclosure import Rule, SafeTable, protected, release_table, rule_named
from vsh_eval.release.figures import Figure
from vsh_eval.release.files.open_data import Area, read_table, write_table
from vsh_eval.release.pages.show import show_figure
from vsh_eval.release.text.pages.page import run_card
from vsh_eval.returns import published
from vsh_eval.settings import AnnexA, FileSet, Settings, load

FOLDERS: dict[str, Any] = {
    **{"source": {"folder", "files"}, "published": {"folder"}},
    "disclosure": {"secret_file"},
    "spark": True,
}
"""Settings that say where a machine keeps its files; no output names them."""
INVENTED = "invented_returns"
"""The folder of a synthetic run's returns."""
SOURCES = ("panel", "composition", "moments", "schools", "exposure", "training", "unit_id")
"""What a run hands to a function of `metrics` that takes an argument of that name."""


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
    def rule(self) -> Rule:
        """The disclosure rule."""
        return rule_named(self.settings.disclosure.preset)

    @property
    def stamp(self) -> str:
        """What every output must say of its data, '' where nothing."""
        return " | ".join(part for part in (self._data_stamp, self.rule.stamp) if part)

    @property
    def _data_stamp(self) -> str:
        """What tables must say of their data; the door adds what the rule must say."""
        return names.SYNTHETIC_STAMP if self.invented else ""

    @property
    def invented(self) -> bool:
        """Whether the data are invented: made for this run, or by ``vsh-eval synthesise``."""
        files = [path for _, path in source_files(self.settings)]
        folders = {folder for path in files for folder in path.parents[:2]}
        return self.settings.synthetic or any((f / synthetic.MARKER).is_file() for f in folders)

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
        path = self._there(name)
        # A function that needs a table anew gets one that the others cannot change.
        return _read(path, path.stat().st_mtime_ns).copy(deep=False)

    def _there(self, name: str) -> Path:
        """Return an internal table's file, made first where it is missing."""
        path = self.internal / f"{name}.parquet"
        if not path.is_file():
            self._make(name)
        return path

    def has(self, name: str) -> bool:
        """Whether a table can be had in this kind of run."""
        kind = self.settings.source.kind
        return any(name in notebook.makes for notebook in catalogue.of_kind(kind))

    def make_missing(self, notebook: catalogue.Notebook) -> None:
        """Run the notebooks that make what a notebook needs and the run lacks, makers first."""
        for name in notebook.needs:
            internal = self.internal / f"{name}.parquet"
            if self.has(name) and not internal.is_file() and not self.has_published(name):
                self._make(name)

    def _make(self, name: str) -> None:
        maker = catalogue.maker_of(name, self.settings.source.kind)
        if not self.interactive:
            raise ContractError(
                f"table {name} is missing; run notebook {maker.name} first (vsh-eval run does)."
            )
        from vsh_eval.pipeline.execution import engine

        self.make_missing(maker)
        engine.execute(self, maker)

    def comparison(self, **changes: Any) -> Comparison:
        """Return the comparison that the settings ask for, with some of its parts changed."""
        cohort = self.settings.cohort
        default = Comparison(
            cohort.group,
            cohort.reference,
            baseline=self.settings.years.baseline,
            unit_id=self.settings.authority.code,
        )
        return replace(default, **changes)

    def release(
        self, producer: Callable[..., pd.DataFrame], *arguments: Any, **keywords: Any
    ) -> SafeTable:
        """Run a function on what may be shown of the run's tables, and seal what comes back.

        Parameters
        ----------
        producer : callable
            A function that says what its table is, such as ``metrics.gaps``.
        *arguments, **keywords
            Its other arguments: those of `SOURCES` are the run's own unless they are given.

        Raises
        ------
        DisclosureError
            As `vsh_eval.release.disclosure.release_table`.
        """
        return self._sealed(self.rule, producer, arguments, keywords)

    def exact(
        self, producer: Callable[..., pd.DataFrame], *arguments: Any, **keywords: Any
    ) -> SafeTable:
        """Run a function on exact sums, for the analyst's own eyes: stamped INTERNAL when drawn."""
        return self._sealed(rule_named("none"), producer, arguments, keywords)

    def _sealed(
        self,
        rule: Rule,
        producer: Callable[..., pd.DataFrame],
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
    ) -> SafeTable:
        """Run a function with its arguments by name, the run's own tables among them."""
        parameters = list(inspect.signature(producer).parameters)
        own = [name for name in parameters if name in SOURCES and name not in keywords]
        others = [name for name in parameters if name not in own and name not in keywords]
        named = dict(zip(others, arguments, strict=False))
        given = {**{name: self._source(name, rule) for name in own}, **named, **keywords}
        return release_table(producer, rule=rule, stamp=self._data_stamp, **given)

    def _source(self, name: str, rule: Rule) -> Any:
        """Return one of `SOURCES`, behind the rule's shield where it holds sums of children."""
        if name == "unit_id":
            return self.settings.authority.code
        if name == "moments":
            return Moments(self.load("moments"), self.load("spread"))
        table = self.load(name)
        if name == "panel" and self.settings.source.kind == "published":
            return table[table["unit_id"].isin(self.load("areas")["unit_id"])]
        return protected(table, rule) if name in ("panel", "composition") else table

    def published_context(self) -> tuple[pd.DataFrame, dict[str, str]]:
        """Return DfE's figures of the authority and those it is compared with, and their names."""
        own = self.settings.source.kind == "published"
        panel, areas = (
            self.load(name)
            for name in (("panel", "areas") if own else ("published_panel", "published_areas"))
        )
        labels = dict(zip(areas["unit_id"], areas["name"], strict=True))
        return panel[panel["unit_id"].isin(areas["unit_id"])], labels

    def publish(self, name: str, safe: SafeTable) -> None:
        """Write a protected table to ``release/tables`` as tidy CSV with its metadata."""
        folder = self.released / "tables"
        folder.mkdir(parents=True, exist_ok=True)
        write_table(safe, folder, name, areas=self._areas())
        self.internal.mkdir(parents=True, exist_ok=True)
        # The file does not say whose figures these are.
        gate = "published" if is_published(safe.frame) else safe.gate
        self._gate_of(name).write_text(gate, encoding="utf-8")

    def published_table(self, name: str) -> SafeTable:
        """Read a table back that another notebook of the run publishes, made first as `load` does.

        Raises
        ------
        ContractError
            If the table is missing in an unattended run, or no notebook makes it.
        """
        if not self.has_published(name):
            self._make(name)
        gate = cast("Gate", self._gate_of(name).read_text(encoding="utf-8"))
        path = self.released / "tables" / f"{name}.csv"
        return read_table(path, gate=gate, stamp=self.stamp)

    def _gate_of(self, name: str) -> Path:
        """Return the file that says how a published table was made safe."""
        return self.internal / f"{name}.gate"

    def has_published(self, name: str) -> bool:
        """Whether a notebook of the run has published a table of that name."""
        return (self.released / "tables" / f"{name}.csv").is_file()

    def _areas(self) -> dict[str, Area]:
        authority = self.settings.authority
        if self.settings.source.kind != "published":
            return {authority.code: Area(authority.name)}
        areas = self.load("areas").fillna("").astype(str)
        columns = ["unit_id", "name", "region_id", "region_name", "old_la_code"]
        return {unit: Area(*place) for unit, *place in areas[columns].to_numpy()}

    def publish_figure(self, figure: Figure) -> None:
        """Write a figure to ``release/figures`` and show it."""
        folder = self.released / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{figure.name}.svg").write_bytes(figure.svg)
        show_figure(figure)

    def facts(self, rows: dict[str, str]) -> SafeTable:
        """Turn facts about the run (no counts of children) into a table that may be shown."""
        return release_table(_facts, rule=self.rule, stamp=self._data_stamp, rows=rows)

    def card(self) -> SafeTable:
        """Say what is asked of which data, under which rules, by whom, and how to repeat it."""
        rows = run_card(
            self.settings,
            invented=self.invented,
            protocol=" ".join(self.standing.sentences).removeprefix("Protocol: "),
            software=f"vsh_eval {version('vsh-eval')}, Python {platform.python_version()}",
            commit=commit(),
            day=protocol.current_day(),
            command=_command(self.params.resolve()),
        )
        return self.facts(rows)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> pd.DataFrame:
    """Read a table that many functions of a notebook need, once for each time it was written."""
    del changed
    return pd.read_parquet(path)


@produces("facts", ("item", "value"), gate="facts")
def _facts(rows: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"item": list(rows), "value": list(rows.values())})


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


def fingerprint(settings: Settings) -> str:
    """Return a hash of everything the settings say and of the source's files.

    Files are known by name, size and time of change, so that large returns need not be read.
    """
    digest = hashlib.sha256(settings.model_dump_json(exclude=FOLDERS).encode())
    for family, section in settings.source.files.given().items():
        written = section.model_dump_json(exclude={"files"})
        digest.update(f"{family}|{written}".encode())
    for name, file in source_files(settings):
        state = file.stat()
        digest.update(f"{name}|{state.st_size}|{state.st_mtime_ns}".encode())
    return digest.hexdigest()


def source_files(settings: Settings) -> tuple[tuple[str, Path], ...]:
    """Return every file that a run reads, and its name without the folders of the machine."""
    named: list[tuple[str, Path]] = []
    for folder in (settings.source.folder, settings.published.folder):
        if folder is not None and folder.is_dir():
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            named += [(path.relative_to(folder).as_posix(), path) for path in files]
    for family, section in settings.source.files.given().items():
        if isinstance(section, FileSet):
            named += [(f"{family}/{path.name}", path) for path in returns.paths_of(family, section)]
        if isinstance(section, AnnexA):
            lookup = Path(section.lookup.file)
            named += [(f"{family}/{lookup.name}", lookup)] if lookup.is_file() else []
    return tuple(named)


def source_folder(run: Run) -> Path | None:
    """Return the folder of the run's returns, inventing the authority first where it is synthetic.

    None where all returns come from ``source.files``.

    Raises
    ------
    ContractError
        If the run reads published tables.
    """
    source = run.settings.source
    if source.kind == "returns":
        return source.folder
    if source.kind != "synthetic":
        raise ContractError(
            "source.kind is 'published', and published tables are no returns; "
            "ask this question of a run with source.kind returns or synthetic."
        )
    folder = run.internal / INVENTED
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


def expected(settings: Settings) -> returns.Expected:
    """Return what the params expect of the returns."""
    programmes = settings.exposure.programmes
    return returns.Expected(
        authority=settings.authority.code,
        basis=settings.cohort.basis,
        programmes=() if isinstance(programmes, str) else programmes,
        covariates=settings.protocol.covariates,
        baseline=settings.years.baseline,
    )


def open_source(run: Run) -> returns.Returns:
    """Open the run's returns: typed tables in memory, nothing written."""
    return open_returns(run.settings, source_folder(run))


def open_returns(settings: Settings, folder: Path | None) -> returns.Returns:
    """Open the tables of a folder, and those of the files that the settings name."""
    return returns.open_returns(
        folder,
        files=settings.source.files,
        authority=settings.authority.code,
        every_school=settings.cohort.schools == "all",
        years=settings.years.all(),
        programmes=expected(settings).programmes,
    )


def open_published(run: Run) -> published.Published:
    """Read DfE's published files of the run.

    Raises
    ------
    ContractError
        If the files do not hold the authority; or, where nothing else is read, no figure of its
        primary outcome at all, or none of the baseline year.
    """
    source, published_folder = run.settings.source, run.settings.published.folder
    folder = source.folder if source.kind == "published" else published_folder
    if folder is None:
        raise ContractError("source.folder is missing; name the folder of the published files.")
    files = published.read_published(folder)
    files.years_of(run.settings.authority.code)
    if source.kind == "published":
        _require_baseline(files, run.settings)
    return files


def _require_baseline(files: published.Published, settings: Settings) -> None:
    """Refuse a baseline in which the authority has no figures, as a new one has no earlier year."""
    code, metric, years = settings.authority.code, settings.protocol.primary, settings.years
    held = sorted({*files.years_of(code, metric)} & {*years.all()})
    if not held:
        raise ContractError(
            f"the published files hold no {metric} of {code} in the years asked for, must hold "
            "some; add the file that has it, or name another protocol.primary."
        )
    if years.baseline not in held:
        known = ", ".join(map(academic_year.label, held))
        raise ContractError(
            f"years.baseline is {academic_year.label(years.baseline)}, must be a year in which "
            f"{code} has {metric}; name one of {known} (an authority that was formed or got a new "
            "code has no figures of its own before)."
        )


def start_anew_if_changed(run: Run) -> None:
    """Empty a run's folder where its settings, files, registration or secret were others."""
    mark = run.internal / "fingerprint.json"
    registration = protocol.path_of(run.params)
    registered = registration.read_bytes() if registration.is_file() else b""
    now = json.dumps(
        {
            "fingerprint": fingerprint(run.settings),
            "protocol": hashlib.sha256(registered).hexdigest(),
            "secret": secret.fingerprint(secret.secret_of(run.settings, invented=run.invented)),
        }
    )
    if mark.is_file() and mark.read_text(encoding="utf-8") == now:
        return
    if run.folder.exists():
        shutil.rmtree(run.folder)
    run.internal.mkdir(parents=True)
    mark.write_text(now, encoding="utf-8")


def commit() -> str:
    """Return the commit the software stands at, '' where git does not say."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return described.stdout.strip()


def _command(params: Path) -> str:
    """Return what makes a run again, given in its project; outside one no folder is named."""
    project = outputs_folder(params).parent
    shown = params.relative_to(project).as_posix() if project in params.parents else params.name
    return shlex.join(("vsh-eval", "run", shown))


def relative(path: Path, start: Path) -> str:
    """Write a path relative to a folder, so that no machine's folders reach a notebook."""
    return Path(os.path.relpath(path, start)).as_posix()
