"""The yearly run: check, notebooks, pages, the egress check, and only then into place."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import psutil
from nbformat.reader import NotJSONError

from vsh_eval import academic_year, returns
from vsh_eval.contracts import ContractError, NotebookFailedError, SettingsError
from vsh_eval.pipeline import catalogue, pages, workspace
from vsh_eval.pipeline.execution import dag, engine, log
from vsh_eval.pipeline.records import (
    closed,
    earlier,
    exchange,
    manifest,
    protocol,
    secret,
    up_to_date,
)
from vsh_eval.pipeline.records.up_to_date import Outcome
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.files.egress import check as check_egress
from vsh_eval.release.text.findings import files as text_of_files
from vsh_eval.settings import Settings, load


def run(
    params: Path,
    *,
    jobs: int = 1,
    only: str = "",
    force: bool = False,
    quiet: bool = False,
    previous: Path | None = None,
) -> Outcome:
    """Run the notebooks of a params file and put the report into ``outputs/<name>``.

    The run is built beside and renamed into place when it is whole, so that the last good one is
    never harmed; what had been built when a run stopped is used by the next.

    Parameters
    ----------
    params : Path
        The params file.
    jobs : int
        Notebooks at a time.
    only : str
        One notebook's name or number: it and what it needs go to ``outputs/<name>-draft``.
    force : bool
        Run every notebook, changed or not.
    quiet : bool
        Draw no progress bar.
    previous : Path, optional
        The release that is taken for last year's, in place of the last one of the run's name.

    Returns
    -------
    Outcome

    Raises
    ------
    ContractError
        If the params or the data are against their rules; nothing is written then.
    SettingsError
        If the run is under way in another process.
    NotebookFailedError
        If a notebook stops; its page stays in the folder that was being built.
    DisclosureError
        If the egress check finds something that must not leave.
    """
    settings = load(params)
    sentences = protocol.standing(params, settings).sentences
    returns.require_sound(check(params).findings)
    if only:
        return Outcome(_draft(params, only), sentences=sentences)
    last_good = workspace.outputs_folder(params) / settings.name
    building = last_good.with_name(f".{settings.name}.building")
    current = Run(settings, params.resolve(), building, interactive=False)
    # Before anything is written.
    closed.require_own_name(current)
    last_year = earlier.require_release(current, previous) if previous is not None else None
    secret.secret_of(settings, invented=current.invented)
    with (
        _one_at_a_time(last_good.with_name(f".{settings.name}.lock")),
        log.written_to(last_good.with_name(f"{settings.name}.log")),
    ):
        log.LOGGER.info("began: %s, vsh_eval %s", params.name, version("vsh-eval"))
        resumed = _prepare(building, last_good, force=force)
        workspace.start_anew_if_changed(current)
        # An earlier version may have invented them otherwise; the same one gives the same bytes.
        shutil.rmtree(current.internal / workspace.INVENTED, ignore_errors=True)
        if last_year is not None:
            earlier.name_earlier(current, last_year)
        started, depends_on = datetime.now(UTC), _depends_on(current)
        try:
            count = dag.run_notebooks(current, jobs=jobs, quiet=quiet)
        except NotebookFailedError as error:
            _say_where(current, error)
            raise
        if _depends_on(current) != depends_on:
            raise ContractError(
                f"the params, the data or the software of {params.name} changed while the run was "
                "under way, must stay as they are until it ends; run again."
            )
        new = count > 0 or resumed or not (last_good / "release" / manifest.NAME).is_file()
        if new:
            _finish(current, started)
            _into_place(building, last_good, keep=settings.keep_runs)
        else:
            shutil.rmtree(building)
        # Restated years are counted each time they are asked for, and a database has no date.
        if settings.disclosure.closed != "restate" and settings.source.files.database is None:
            outputs = [
                last_good / "release" / manifest.NAME,
                *last_good.glob("internal/notebooks/*"),
            ]
            up_to_date.keep(last_good, depends_on, made=outputs, sentences=sentences)
        log.LOGGER.info("done: %s", "a new report" if new else "nothing had changed")
    return Outcome(last_good / "release" / "index.html", new, sentences)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at the data found.

    Attributes
    ----------
    findings : DataFrame
        From `returns.check` or `returns.check_published`; no row for a pool, and for an invented
        authority that was not made.
    notes : tuple of str
        What the readers of files left open, for the analyst.
    opened : Returns or None
        The tables themselves, where they are returns.
    """

    findings: pd.DataFrame
    notes: tuple[str, ...] = ()
    opened: returns.Returns | None = None


def check(params: Path, *, invent: bool = False) -> Checked:
    """Check a params file's data, writing nothing.

    Parameters
    ----------
    params : Path
        The params file.
    invent : bool
        Whether an invented authority is made for it, in a folder that is gone again.

    Returns
    -------
    Checked
        What was found, failures included. Published files beside returns are opened too.

    Raises
    ------
    ContractError
        If the files cannot be read at all, or a year would be restated a third time.
    SettingsError
        If the last year of an authority's own returns has not ended.
    """
    settings = load(params)
    _require_ended(settings)
    place = workspace.outputs_folder(params) / settings.name
    closed.require_few_restatements(Run(settings, params, place, interactive=False))
    if settings.source.kind == "pooled":
        exchange.read_folder(settings.source.folder)
    elif settings.source.kind == "published" or settings.published.folder is not None:
        files = workspace.open_published(Run(settings, params, params.parent, interactive=False))
        if settings.source.kind == "published":
            return Checked(
                returns.check_published(
                    files,
                    settings.authority.code,
                    years=settings.years.all(),
                    offer_start=settings.published.offer_start,
                )
            )
    if settings.source.kind == "pooled" or (settings.synthetic and not invent):
        return Checked(pd.DataFrame({"result": []}))
    if settings.synthetic:
        with (
            TemporaryDirectory() as nowhere,
            workspace.open_source(
                Run(settings, params, Path(nowhere), interactive=False)
            ) as invented,
        ):
            return Checked(returns.check(invented, workspace.expected(settings)))
    opened = workspace.open_returns(settings, settings.source.folder)
    return Checked(
        returns.check(opened, workspace.expected(settings)),
        tuple(map(text_of_files.for_analyst, opened.notes)),
        opened,
    )


def _require_ended(settings: Settings) -> None:
    """Refuse returns of a year under way: a part of a year is never compared with whole ones.

    From July on schools' year counts as ended, as its last returns may be there; whether a term is
    missing is asked of the returns themselves.
    """
    last, today = settings.years.last, protocol.current_day()
    ended = academic_year.of_date(today)
    if today < academic_year.last_day(ended).replace(month=7, day=1):
        ended = academic_year.after(ended, -1)
    if settings.source.kind == "returns" and last > ended:
        raise SettingsError(
            f"years.last is {academic_year.label(last)}, must be a year that has ended; name the "
            f"last complete one, {academic_year.label(ended)} at the most."
        )


def _draft(params: Path, only: str) -> Path:
    kind = load(params).source.kind
    notebook = catalogue.named(only, kind)
    current = workspace.open_run(params)
    try:
        current.make_missing(notebook)
        engine.execute(current, notebook)
    except NotebookFailedError as error:
        _say_where(current, error)
        raise
    return pages.render_notebook(current, notebook)


def _say_where(current: Run, error: NotebookFailedError) -> None:
    """Write the failed notebook's page, where the notebook came as far, and note where it is."""
    if not (current.internal / "notebooks" / f"{error.notebook}.ipynb").is_file():
        return
    # On a full disk the notebook may be cut off, and then the reason alone is what can be said.
    with suppress(OSError, NotJSONError):
        page = pages.render_failure(current, error.notebook)
        error.add_note(f"its page: {workspace.relative(page, Path.cwd())}")


def _prepare(building: Path, last_good: Path, *, force: bool) -> bool:
    """Make the folder to build in and say whether an earlier run left it behind."""
    if force and building.exists():
        shutil.rmtree(building)
    if building.exists():
        return True
    stopped_at_the_end = _previous(last_good).exists()
    if last_good.is_dir() and not force:
        copying = building.with_suffix(".copying")
        shutil.rmtree(copying, ignore_errors=True)
        shutil.copytree(last_good, copying)
        copying.rename(building)
    building.mkdir(parents=True, exist_ok=True)
    return stopped_at_the_end


def _finish(current: Run, started: datetime) -> None:
    pages.render(current)
    manifest.write(current, started=started)
    check_egress(
        current.released,
        identifiers=_identifiers(current),
        paths=_paths(current),
        secrets=secret.texts_of(current.settings, invented=current.invented),
        rule=current.rule,
        published=current.settings.source.kind == "published",
        allow_internal=current.rule.exact,
    )
    closed.keep(current)
    earlier.keep(current)


def _depends_on(current: Run) -> dict[str, Any]:
    """Return what the run depends on, as `up_to_date` compares it."""
    settings = current.settings
    return up_to_date.depends_on(
        current.params,
        folders=[
            *up_to_date.tree_of(settings.source.folder),
            *up_to_date.tree_of(settings.published.folder),
            *up_to_date.tree_of(catalogue.folder()),
            *(path.parent for _, path in workspace.source_files(settings)),
        ],
        secret_file=settings.disclosure.secret_file,
    )


def _paths(current: Run) -> tuple[str, ...]:
    """Return the paths of this machine that could reach a page: those of the params among them."""
    settings = current.settings
    named = (
        *(Path.home(), current.folder.parent, catalogue.folder().parent, current.params.parent),
        *(settings.source.folder, settings.published.folder, settings.disclosure.secret_file),
    )
    return tuple(str(path) for path in named if path is not None)


def _identifiers(current: Run) -> frozenset[str]:
    """Return every pupil identifier of the returns, to be looked for in what leaves."""
    if current.settings.source.kind not in catalogue.RETURNS_KINDS:
        return frozenset()
    settings = current.settings
    return returns.identifiers(
        workspace.source_folder(current),
        files=settings.source.files,
        authority=settings.authority.code,
    )


def _into_place(building: Path, last_good: Path, *, keep: int) -> None:
    """Put a whole run in the place of the last, which is kept as the newest of the earlier ones."""
    previous = _previous(last_good)
    if last_good.exists():
        _put_aside(previous, keep=keep)
        last_good.rename(previous)
    building.rename(last_good)
    _put_aside(previous, keep=keep)


def _previous(last_good: Path) -> Path:
    """Return where a run lies while its successor is put into its place."""
    return last_good.with_name(f".{last_good.name}.previous")


def _put_aside(previous: Path, *, keep: int) -> None:
    """Keep a run that was replaced under the time of its making, and no more than are asked for."""
    earlier = previous.with_suffix(".earlier")
    if previous.exists() and keep:
        modified = datetime.fromtimestamp(previous.stat().st_mtime, UTC).strftime(
            "%Y-%m-%dT%H%M%S.%f"
        )
        earlier.mkdir(exist_ok=True)
        shutil.rmtree(earlier / modified, ignore_errors=True)
        previous.rename(earlier / modified)
    shutil.rmtree(previous, ignore_errors=True)
    for run in sorted(earlier.iterdir(), reverse=True)[keep:] if earlier.is_dir() else ():
        shutil.rmtree(run)


@contextmanager
def _one_at_a_time(lock: Path) -> Generator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        owner = lock.read_text(encoding="utf-8").strip()
        if owner.isdigit() and psutil.pid_exists(int(owner)):
            raise SettingsError(
                f"run {lock.name.strip('.').removesuffix('.lock')} is under way in process "
                f"{owner}; wait for it to end, or give this one another name."
            ) from None
        lock.unlink(missing_ok=True)
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    try:
        os.write(handle, str(os.getpid()).encode())
        os.close(handle)
        yield
    finally:
        lock.unlink(missing_ok=True)
