"""The commands: ``vsh-eval run``, ``check``, ``synthesise`` and their helpers.

Exit codes: 0 done, 1 the data or a check says no, 2 usage, 3 a notebook failed.
"""

import errno
import json
import locale
import os
import re
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from vsh_eval.contracts import ContractError, NotebookFailedError, SettingsError

if TYPE_CHECKING:
    import pandas as pd

DATA_SAYS_NO = 1
USAGE = 2
NOTEBOOK_FAILED = 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Did a virtual school's training offer narrow the attendance and attainment gaps of "
    "children with a social worker?",
)

Params = Annotated[
    Path, typer.Argument(help="A params file; the templates in params/ explain every key.")
]
DEMO = Path("params/demo.yaml")


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"vsh_eval {version('vsh-eval')}")
        raise typer.Exit


@app.callback()
def _main(
    show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Hold the options of every command."""
    del show


@app.command()
def run(
    params: Annotated[
        list[Path] | None,
        typer.Argument(help="A params file, or several: the templates explain every key."),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option("-j", "--jobs", min=1, help="Notebooks at a time; of several files, runs."),
    ] = 1,
    only: Annotated[
        str, typer.Option(help="One notebook, by name or number: it goes to outputs/<name>-draft.")
    ] = "",
    force: Annotated[bool, typer.Option(help="Run every notebook, changed or not.")] = False,
    new_secret: Annotated[
        bool, typer.Option(help="First write a new secret into disclosure.secret_file.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing where all went well; see the log.")
    ] = False,
    previous: Annotated[
        Path | None,
        typer.Option(help="Last year's release, where it is not the last one of this name."),
    ] = None,
) -> None:
    """Run the evaluation and write the report to outputs/<name>/release."""
    files = [_params(path) for path in params or [DEMO]]
    if len(files) > 1:
        if only or new_secret or previous:
            raise SettingsError(
                "--only, --new-secret and --previous take one params file; name one."
            )
        _run_many(files, jobs=jobs, force=force, quiet=quiet)
    else:
        if new_secret:
            _new_secret(files[0])
        options = {"only": only, "force": force, "previous": previous}
        _run_one(files[0], jobs=jobs, quiet=quiet, **options)


def _run_one(params: Path, *, jobs: int, quiet: bool, **options: Any) -> None:
    from vsh_eval.pipeline.records import up_to_date

    outcome = None if any(options.values()) else up_to_date.last_run(params)
    if outcome is None:
        from vsh_eval.pipeline import yearly

        outcome = yearly.run(params, jobs=jobs, quiet=quiet, **options)
    if quiet:
        return
    if outcome.new:
        typer.echo(f"Done: open {_shown(outcome.page)}")
    else:
        typer.echo(f"Nothing has changed since the last run: {_shown(outcome.page)}")
    for sentence in outcome.sentences:
        typer.echo(sentence)


def _run_many(files: list[Path], *, jobs: int, force: bool, quiet: bool) -> None:
    from vsh_eval.pipeline.execution import many

    def report(one: many.Ended) -> None:
        if not quiet:
            typer.echo(f"{one.params.name}: {one.message}", err=bool(one.code))

    runs = many.run_all(files, jobs=jobs, force=force, ended=report)
    stopped = [one.code for one in runs if one.code]
    if stopped or not quiet:
        typer.echo("\n".join(many.as_table(runs)))
    if stopped:
        raise typer.Exit(max(stopped))


@app.command()
def register(
    params: Annotated[Path, typer.Argument(help="The params file whose protocol is frozen.")],
    amend: Annotated[
        str, typer.Option(help="Why a registered protocol is changed; the old one stays on record.")
    ] = "",
) -> None:
    """Freeze the protocol beside the params file, before any effect is looked at."""
    from vsh_eval.pipeline import workspace
    from vsh_eval.pipeline.records import protocol

    protocol.register(params, outputs=workspace.outputs_folder(params), amend=amend)
    for sentence in protocol.standing(params).sentences:
        typer.echo(sentence)
    typer.echo(f"Commit {_shown(protocol.path_of(params))} beside {params.name}.")


@app.command()
def check(
    params: Params = DEMO,
    findings: Annotated[
        Path | None, typer.Option(help="Write every finding, with counts, to this CSV file.")
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option(help="Write the tables of the returns, pupil rows, to this new folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
) -> None:
    """Check the data and say what each question can rest on; exit 1 if they cannot bear the run.

    Nothing is written unless asked for, and all of it stays in the authority.
    """
    from vsh_eval import returns
    from vsh_eval.pipeline import yearly
    from vsh_eval.release.text.pages import returns as words

    checked = yearly.check(_params(params), invent=True)
    if checked.findings.empty:
        typer.echo("The bundles can be pooled.")
        return
    checks, verdicts = checked.findings, returns.judge(checked.findings)
    shares = returns.joins(checks)
    if as_json:
        typer.echo(_as_json(notes=checked.notes, findings=checks, joins=shares, verdicts=verdicts))
    else:
        for note in checked.notes:
            typer.echo(f"note: {note}")
        typer.echo(words.for_analyst(checks, shares, verdicts))
    if findings is not None:
        returns.write_findings(checks, findings)
    if tables is not None:
        if checked.opened is None:
            raise SettingsError(
                "--tables is given and the params name no returns of an authority; leave it out "
                "(vsh-eval synthesise writes those of an invented one)."
            )
        folder = returns.write_tables(checked.opened, tables)
        typer.echo(f"Wrote {_shown(folder)}: it holds rows of pupils, keep it safe.", err=True)
    returns.require_sound(checks)


def _as_json(notes: tuple[str, ...], **tables: "pd.DataFrame") -> str:
    rows = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    return json.dumps({"notes": notes, **rows}, indent=2, ensure_ascii=False)


@app.command()
def synthesise(
    folder: Annotated[Path, typer.Argument(help="A new folder for the invented returns.")],
    schools: Annotated[int, typer.Option(min=10, help="Number of schools.")] = 120,
    effect: Annotated[
        float,
        typer.Option(help="Planted effect on the cohort's overall absence, percentage points."),
    ] = -1.5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the invention.")] = 1,
    first: Annotated[str, typer.Option(help="First academic year.")] = "2016/17",
    last: Annotated[str, typer.Option(help="Last academic year.")] = "2024/25",
    pretrend: Annotated[
        float,
        typer.Option(help="Trend in trained schools that is no effect, points a year (a test)."),
    ] = 0.0,
    effect_on_peers: Annotated[
        float, typer.Option(help="Planted effect on all other pupils, percentage points (a test).")
    ] = 0.0,
    children: Annotated[
        float | None,
        typer.Option(min=1, max=40, help="Mean children of the cohort a school and year."),
    ] = None,
    csv: Annotated[bool, typer.Option(help="Write CSV instead of Parquet.")] = False,
    layout: Annotated[
        Literal["tables", "returns"],
        typer.Option("--as", help="Tables that are ready, or the files an authority holds."),
    ] = "tables",
    faults: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="With --as returns: share of rows that go wrong, such as 0.02."
        ),
    ] = 0.0,
) -> None:
    """Write an invented authority's returns with a planted effect."""
    from dataclasses import replace

    from vsh_eval import academic_year, synthetic

    form = "csv" if csv else "parquet"
    try:
        plan = synthetic.Plan(
            schools=schools,
            effect=effect,
            seed=seed,
            first=academic_year.parse(first),
            last=academic_year.parse(last),
            pretrend=pretrend,
            effect_on_peers=effect_on_peers,
        )
        if children is not None:
            plan = replace(plan, cohort_per_school=children)
        written = synthetic.synthesise(folder, plan, format=form, layout=layout, faults=faults)
    except ContractError as error:  # there are no data but what the command itself asks for
        raise SettingsError(str(error)) from None
    typer.echo(f"Wrote the invented returns to {_shown(written)}")
    if layout == "returns":
        typer.echo(f"Next: vsh-eval check {_shown(written / 'params.yaml')}")


@app.command("fetch-published")
def fetch_published(
    folder: Annotated[Path, typer.Argument(help="Where the published files go.")],
    origin: Annotated[
        str, typer.Option("--from", help="A folder, or the address of one, that holds them.")
    ],
) -> None:
    """Collect DfE's published files into one folder."""
    from vsh_eval.returns import published

    for file in published.fetch(folder, from_=origin):
        typer.echo(str(file))


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="A finished run, for example outputs/demo.")],
) -> None:
    """Re-hash a finished run against its manifest; exit 1 if a file differs."""
    from vsh_eval.pipeline.records import manifest

    differences = manifest.verify(folder)
    for difference in differences:
        typer.echo(f"{difference.problem}: {difference.file}")
    if differences:
        raise typer.Exit(DATA_SAYS_NO)
    typer.echo("Every file is what the manifest says.")


@app.command()
def exchange(
    run: Annotated[Path, typer.Argument(help="A finished run, for example outputs/demo.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The zip file to write.")
    ] = None,
) -> None:
    """Write what a finished run may hand to others, to be pooled: released numbers only."""
    from vsh_eval.pipeline.records import exchange as of_run

    typer.echo(f"Wrote {_shown(of_run.export(run, output))}")


@app.command()
def pool(
    bundles: Annotated[list[Path], typer.Argument(help="Bundles that vsh-eval exchange wrote.")],
    output: Annotated[
        str, typer.Option("-o", "--output", help="The pool's name: outputs/<name>.")
    ] = "pool",
    title: Annotated[
        str, typer.Option(help="What the report calls the authorities, for example South East.")
    ] = "",
) -> None:
    """Check several authorities' bundles and write the report of all together."""
    from vsh_eval.pipeline import yearly
    from vsh_eval.pipeline.records import exchange as of_runs
    from vsh_eval.pipeline.records.up_to_date import outputs_folder

    outputs = outputs_folder(Path.cwd() / "params")
    params = of_runs.prepare(bundles, name=output, title=title, outputs=outputs)
    typer.echo(f"Done: open {_shown(yearly.run(params).page)}")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder for a project of your own.")],
) -> None:
    """Write a project of your own: params to copy, the notebooks, and where outputs go."""
    from vsh_eval.pipeline import catalogue

    catalogue.start_project(folder)
    typer.echo(f"Wrote {_shown(folder)}; go there, and run vsh-eval run params/demo-small.yaml")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a params file."""
    from vsh_eval.settings import Settings

    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))


@app.command()
def lab() -> None:
    """Open the notebooks in JupyterLab, with an encrypted connection to the kernels."""
    from vsh_eval.pipeline import catalogue

    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--KernelManager.transport_encryption=required",
        str(catalogue.folder()),
    ]
    os.execv(sys.executable, command)


def _new_secret(params: Path) -> None:
    from vsh_eval.pipeline.records import secret
    from vsh_eval.settings import load

    file = secret.write_new(load(_params(params)))
    typer.echo(f"Wrote a new secret to {_shown(file)}; keep it for ever, and never release it.")


def _params(path: Path) -> Path:
    """Return a params file, the packaged one where the working folder has none of that name."""
    if path.is_file() or path != DEMO:
        return path
    from vsh_eval.pipeline import catalogue

    shipped = catalogue.shipped("params") / path.name
    return shipped if shipped.is_file() else path


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def start() -> None:
    """Begin anew in UTF-8 where the locale has another encoding: names of folders may need it."""
    utf8 = locale.getencoding().lower().replace("-", "") == "utf8"
    if os.name == "posix" and not (utf8 or sys.flags.utf8_mode):
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "vsh_eval", *sys.argv[1:]])
    main()


def main() -> None:
    """Run a command; say what is wrong in one sentence."""
    try:
        with _home():
            app()
    except SettingsError as error:
        _stop(error, USAGE)
    except ContractError as error:
        _stop(error, DATA_SAYS_NO)
    except NotebookFailedError as error:
        _stop(error, NOTEBOOK_FAILED)
    except OSError as error:
        _stop(ContractError(_of_the_machine(error)), NOTEBOOK_FAILED)


@contextmanager
def _home() -> Generator[None]:
    """Give a user without a home folder, as containers have them, one for this command."""
    try:
        Path.home()
    except RuntimeError:
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            os.environ["HOME"] = folder
            yield
    else:
        yield


def _of_the_machine(error: OSError) -> str:
    """Say in one sentence what the machine did not allow; what stood there before is untouched."""
    if isinstance(error, shutil.Error):  # of many files that were copied, the first says why
        number = re.search(r"\[Errno (\d+)\]", str(error))
        error = OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError()
    where = Path(error.filename).name if error.filename else "the output folder"
    remedy = {
        errno.ENOSPC: "make room on the disk, and run again",
        errno.EROFS: "run in a folder that can be written to",
        errno.EACCES: "run as a user who may write there, or in a folder of your own",
    }.get(error.errno or 0, "see that it is there and can be written to, and run again")
    return f"{where}: {(error.strerror or str(error)).lower()}; {remedy}."


def _stop(error: Exception, code: int) -> NoReturn:
    parts = (f"vsh-eval: {error}", *getattr(error, "__notes__", ()))
    typer.echo("; ".join([*(one.rstrip(".") for one in parts[:-1]), parts[-1]]), err=True)
    raise SystemExit(code)
