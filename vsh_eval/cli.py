"""The commands: ``vsh-eval run``, ``check``, ``synthesise`` and their helpers.

Exit codes: 0 done, 1 the data or a check says no, 2 usage, 3 a notebook failed.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from vsh_eval.contracts import ContractError, NotebookFailedError, SettingsError

# jsonschema asks for this slow module only for a check that no notebook schema uses.
sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]

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


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"vsh_eval {version('vsh-eval')}")
        raise typer.Exit


@app.callback()
def _main(
    show: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Hold the options of every command."""
    del show


@app.command()
def run(
    params: Params = DEMO,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Notebooks at a time.")] = 1,
    only: Annotated[
        str,
        typer.Option(help="One notebook, by name or number: it goes to outputs/<name>-draft."),
    ] = "",
    force: Annotated[bool, typer.Option(help="Run every notebook, changed or not.")] = False,
    new_secret: Annotated[
        bool, typer.Option(help="First write a new secret into disclosure.secret_file.")
    ] = False,
) -> None:
    """Run the evaluation and write the report to outputs/<name>/release."""
    from vsh_eval.pipeline import up_to_date

    if new_secret:
        _new_secret(params)
    outcome = None if only or force else up_to_date.last_run(_params(params))
    if outcome is None:
        from vsh_eval.pipeline import yearly

        outcome = yearly.run(_params(params), jobs=jobs, only=only, force=force)
    if outcome.new:
        typer.echo(f"Done: open {_shown(outcome.page)}")
    else:
        typer.echo(f"Nothing has changed since the last run: {_shown(outcome.page)}")
    for sentence in outcome.sentences:
        typer.echo(sentence)


@app.command()
def register(
    params: Annotated[Path, typer.Argument(help="The params file whose protocol is frozen.")],
    amend: Annotated[
        str, typer.Option(help="Why a registered protocol is changed; the old one stays on record.")
    ] = "",
) -> None:
    """Freeze the protocol beside the params file, before any effect is looked at."""
    from vsh_eval.pipeline import protocol, workspace

    protocol.register(params, outputs=workspace.outputs_folder(params), amend=amend)
    for sentence in protocol.standing(params).sentences:
        typer.echo(sentence)
    typer.echo(f"Commit {_shown(protocol.path_of(params))} beside {params.name}.")


@app.command()
def check(params: Params = DEMO) -> None:
    """Check the data alone and write nothing; exit 1 if they cannot bear the run."""
    from vsh_eval.pipeline import yearly

    findings = yearly.check(_params(params))
    for row in findings.itertuples():
        if row.result != "pass":
            typer.echo(f"{row.result}: {row.message}")
    if findings.empty:
        typer.echo("The data can bear the run: invented and published data are checked as read.")
    else:
        passed = int((findings["result"] == "pass").sum())
        typer.echo(f"{passed} checks passed; the data can bear the run.")


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
        float,
        typer.Option(help="Planted effect on all other pupils, percentage points (a test)."),
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
        typer.Option(min=0, max=1, help="With --as returns: share of rows that go wrong."),
    ] = 0.0,
) -> None:
    """Write an invented authority's returns with a planted effect."""
    from dataclasses import replace

    from vsh_eval import academic_year, synthetic

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
    form = "csv" if csv else "parquet"
    written = synthetic.synthesise(folder, plan, format=form, layout=layout, faults=faults)
    typer.echo(f"Wrote the invented returns to {_shown(written)}")


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
    from vsh_eval.pipeline import manifest

    differences = manifest.verify(folder)
    for difference in differences:
        typer.echo(f"{difference.problem}: {difference.file}")
    if differences:
        raise typer.Exit(DATA_SAYS_NO)
    typer.echo("Every file is what the manifest says.")


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
    from vsh_eval.pipeline import secret
    from vsh_eval.settings import load

    file = secret.write_new(load(_params(params)))
    typer.echo(f"Wrote a new secret to {_shown(file)}; keep it for ever, and never release it.")


def _params(path: Path) -> Path:
    """Return a params file, the packaged one where the working folder has none of that name."""
    packaged = Path(__file__).parent / "_params" / path.name
    return packaged if not path.is_file() and path == DEMO and packaged.is_file() else path


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def main() -> None:
    """Run a command; say what is wrong in one sentence."""
    try:
        app()
    except SettingsError as error:
        _stop(error, USAGE)
    except ContractError as error:
        _stop(error, DATA_SAYS_NO)
    except NotebookFailedError as error:
        _stop(error, NOTEBOOK_FAILED)


def _stop(error: Exception, code: int) -> NoReturn:
    typer.echo("; ".join((f"vsh-eval: {error}", *getattr(error, "__notes__", ()))), err=True)
    raise SystemExit(code)
