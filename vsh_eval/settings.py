"""Typed, frozen settings read from a params file (YAML); unknown keys are refused."""

import difflib
import os
import re
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal, Self, get_args, override

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from vsh_eval import academic_year, names, registry
from vsh_eval.contracts import RETURNS, SettingsError, require_one_of

AcademicYear = Annotated[
    int, BeforeValidator(academic_year.parse, json_schema_input_type=int | str)
]


def _phases(written: Any) -> Any:
    """Read ``all`` as every phase, and refuse one that is unknown."""
    if written == "all":
        return names.PHASES
    written = _listed(written)
    for phase in written if isinstance(written, list | tuple) else [written]:
        require_one_of(phase, names.PHASES, name="phase")
    return written


Phases = Annotated[
    tuple[str, ...],
    BeforeValidator(_phases, json_schema_input_type=Literal["all"] | tuple[str, ...]),
    Field(min_length=1),
]


_ON_WINDOWS = os.name == "nt"
DEVICES = frozenset({"con", "prn", "aux", "nul"}) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}
"""Names that Windows keeps for devices, whatever their ending; no file or folder may have one."""


def _no_device(written: str | Path) -> Any:
    """Refuse the name of a folder or file to be made that Windows keeps for a device."""
    name = PureWindowsPath(written).name
    if name.split(".")[0].rstrip().casefold() in DEVICES:
        raise ValueError(f"the name {name} is a device's on Windows; choose another")
    return written


def _path(written: Any) -> Any:
    """Refuse a path that this machine would take for another one."""
    if not isinstance(written, str | Path):
        return written
    path, text = PureWindowsPath(written), str(written)
    if not text.isprintable():
        raise ValueError(
            "a path must have no tab or line break, which is what YAML makes of \\t and \\n in "
            "double quotes; write it with /"
        )
    if path.drive and not path.root and not text.startswith("\\\\"):
        raise ValueError(f"a path must have a / behind its drive; write {path.drive}/")
    if not _ON_WINDOWS and (path.drive or "\\" in text):
        raise ValueError(
            "a path must be one of this machine; write it with /, which Windows reads too, and "
            "without a drive"
        )
    return written


OnePath = Annotated[str, AfterValidator(_path)]
FolderPath = Annotated[Path, BeforeValidator(_path, json_schema_input_type=Path)]


def _listed(written: Any) -> Any:
    """Read one name as a list of it, but for ``all``, which is a word of its own."""
    return [written] if isinstance(written, str) and written != "all" else written


Names = Annotated[
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Authority(_Section):
    """The local authority that the virtual school serves."""

    code: str = Field(description="nine-character ONS code, for example E06000049")
    name: str = Field(description="the authority's name as the report writes it")


class FileSet(_Section):
    """The files of one family: a file, a pattern, a list of them, or a section with ``files``."""

    files: tuple[OnePath, ...] = Field(
        min_length=1,
        description="the family's files: names or patterns such as cin/*.xml, relative to the "
        "params file",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, written: Any) -> Any:
        """Read a name or a list of names as the files of the section, and one file as a list."""
        section = {"files": written} if isinstance(written, str | list | tuple) else written
        if not isinstance(section, dict):
            return section
        section = {"files" if key == "file" else key: value for key, value in section.items()}
        if isinstance(section.get("files"), str):
            section["files"] = [section["files"]]
        return section


class Extracts(FileSet):
    """Extracts of the authority's own management information, read through a map of columns."""

    table: Literal["enrolments", "attendance", "suspensions", "attainment"] = Field(
        description="the table that the extracts fill"
    )
    columns: dict[str, str] = Field(
        description="column of the table: column of the files, for example pupil_id: UPN"
    )


class ChildLookup(_Section):
    """A table with a child id and a UPN a row."""

    file: OnePath = Field(description="a CSV file or a workbook, relative to the params file")
    child_id: str = Field(default="Child Unique ID", description="its column of child ids")
    upn: str = Field(default="UPN", description="its column of UPNs")


class SessionMarks(FileSet):
    """Marks of every session, with names of columns where they are not the usual ones."""

    columns: dict[str, str] = Field(
        default={},
        description="pupil_id, urn, date, session, mark, week_start, week_marks or year_group: "
        "column of the files",
    )
    codes: dict[str, str] = Field(
        default={}, description="a sign of the schools' own: the attendance code that it stands for"
    )
    lookup: ChildLookup | None = Field(
        default=None,
        description="where pupil_id is the schools' own id: the table that leads from it to the "
        "UPN",
    )


class TrainingLog(FileSet):
    """The training log as it is kept."""

    columns: dict[str, str] = Field(
        default={}, description="column of the training table: column of the log"
    )
    synonyms: dict[str, dict[str, str]] = Field(
        default={},
        description="column of the training table: what the log writes, and the code that it means",
    )


class AnnexA(FileSet):
    """Annex A workbooks, which hold no UPN, and the lookup from their child id to it."""

    lookup: ChildLookup = Field(description="the table that leads from the child id to the UPN")


class Database(_Section):
    """A database that is read, and never written."""

    url: str = Field(
        description="an SQLAlchemy URL without a password, for example "
        "postgresql+psycopg://reader@server/care; given up where it does not answer in 30 seconds"
    )
    password_variable: str = Field(
        default="VSH_EVAL_DATABASE_PASSWORD",
        description="the environment variable that holds the password",
    )
    layout: Literal["ssd"] | None = Field(
        default=None,
        description="ssd: the tables of the Standard Safeguarding Dataset give the episodes",
    )
    queries: dict[str, str] = Field(
        default={}, description="table of the returns: one SELECT that gives its columns"
    )

    @model_validator(mode="after")
    def _known_tables_and_no_password(self) -> Self:
        for table in self.queries:
            require_one_of(table, tuple(RETURNS), name="source.files.database.queries")
        if not self.queries and self.layout is None:
            raise ValueError(
                "source.files.database.queries is empty; name a query a table, or layout: ssd."
            )
        if re.search(r"//[^/@]*:[^/@]*@", self.url):
            raise ValueError(
                "source.files.database.url holds a password, must not; put it into the "
                f"environment variable {self.password_variable}."
            )
        return self


class Files(_Section):
    """The files that the authority holds, by family; docs/how-to/my-files.md says whom to ask."""

    gias: FileSet | None = Field(
        default=None, description="GIAS extract of establishments, CSV or zip"
    )
    gias_links: FileSet | None = Field(
        default=None, description="GIAS links of establishments, CSV or zip"
    )
    database: Database | None = Field(
        default=None, description="a database, read with one query a table"
    )
    school_census: FileSet | None = Field(
        default=None, description="school census, table exports of COLLECT"
    )
    ytd_attendance: FileSet | None = Field(
        default=None, description="DfE's year-to-date attendance file of pupils"
    )
    session_marks: SessionMarks | None = Field(default=None, description="marks of every session")
    gip: FileSet | None = Field(
        default=None, description="downloads of DfE's Get information about pupils"
    )
    extracts: Extracts | None = Field(
        default=None, description="the authority's own extracts, with a map of columns"
    )
    cin_census: FileSet | None = Field(
        default=None, description="children in need census: XML, or the CSV tables made from it"
    )
    ssda903: FileSet | None = Field(
        default=None, description="SSDA903 return of children looked after: XML, or CSV tables"
    )
    annex_a: AnnexA | None = Field(
        default=None, description="Ofsted's Annex A workbooks and a lookup to the UPN"
    )
    training: TrainingLog | None = Field(default=None, description="the training log")

    def given(self) -> dict[str, FileSet | Database]:
        """Return the families that are given, in the order in which they are read."""
        families = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: family for name, family in families.items() if family is not None}


class Source(_Section):
    """Where the data come from."""

    kind: Literal["synthetic", "returns", "published", "pooled"] = Field(
        description="an invented authority, a folder of returns, DfE's published files, or "
        "bundles of several authorities"
    )
    folder: FolderPath | None = Field(
        default=None,
        description="the folder of tables that are ready, of the published files, or of bundles",
    )
    files: Files = Field(
        default=Files(),
        description="returns only: files as the authority holds them; a table of the folder goes "
        "before theirs",
    )
    licence: str = Field(
        default="",
        description="returns only: the licence under which the released tables may be used again",
    )
    schools: int = Field(
        default=120, ge=10, le=20_000, description="synthetic only: number of schools"
    )
    effect: float = Field(
        default=-1.5, ge=-20, le=20, description="synthetic only: planted effect, percentage points"
    )
    seed: int = Field(default=1, ge=0, description="synthetic only: seed of the invented authority")

    @model_validator(mode="after")
    def _needs_a_folder(self) -> Self:
        files = self.files.given()
        if files and self.kind != "returns":
            raise ValueError(
                f"source.files is given and source.kind is {self.kind}, must be returns."
            )
        if self.licence and self.kind != "returns":
            raise ValueError(
                f"source.licence is given and source.kind is {self.kind}, must be returns: DfE's "
                "figures keep DfE's licence, and invented ones need none."
            )
        if self.kind != "synthetic" and self.folder is None and not files:
            also = ", or the files in source.files" if self.kind == "returns" else ""
            raise ValueError(
                f"source.folder is missing; name the folder of the {self.kind} files{also}."
            )
        return self


class Years(_Section):
    """The academic years of the evaluation."""

    first: AcademicYear = Field(description="first academic year used")
    last: AcademicYear = Field(
        description="last academic year used; of returns, one that has ended"
    )
    baseline: AcademicYear = Field(description="year that changes are counted from")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError(
                f"years.first is {academic_year.label(self.first)}, must not lie after years.last "
                f"({academic_year.label(self.last)}); exchange them."
            )
        if not self.first <= self.baseline <= self.last:
            raise ValueError(
                f"years.baseline is {academic_year.label(self.baseline)}, must lie between "
                "years.first and years.last; name a year from "
                f"{academic_year.label(self.first)} to {academic_year.label(self.last)}."
            )
        return self

    def all(self) -> tuple[int, ...]:
        """Every academic year from first to last."""
        return tuple(academic_year.span(self.first, self.last))


class Cohort(_Section):
    """Which children count, and whom they are compared with."""

    rule: Literal["any_time_in_year", "at_31_march", "ever_6"] = Field(
        default="any_time_in_year", description="when a child must have had a social worker"
    )
    basis: Literal["plan", "episode"] = Field(
        default="episode",
        description="child in need by plan dates or by episode (referral to closure)",
    )
    look_back: int = Field(
        default=6, ge=1, le=10, description="years that make a previous social worker"
    )
    group: Literal["cwsw", "ever_cwsw", "cin", "cpp", "cla", "previous"] = Field(
        default="cwsw", description="the group whose gap is evaluated"
    )
    reference: Literal["peers", "all"] = Field(
        default="peers", description="the group compared with"
    )
    schools: Literal["own", "all"] = Field(
        default="own",
        description="schools that count where the returns hold several authorities': those of "
        "authority.code, or all",
    )


class Exposure(_Section):
    """When a school counts as trained."""

    rule: Literal["first_full_year", "same_year"] = Field(
        default="first_full_year",
        description="treated from the year of training if it began by 31 October, else the next",
    )
    programmes: Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_listed)] = Field(
        default="all", description="the programmes that count as training"
    )
    tier: Literal["any", "universal", "targeted"] = Field(
        default="any", description="tiers that count"
    )


class Protocol(_Section):
    """What was decided before any effect was looked at; ``vsh-eval register`` freezes it."""

    primary: str = Field(default="overall_absence", description="the primary outcome")
    secondary: Names = Field(
        default=("persistent_absence", "severe_absence"), description="secondary outcomes"
    )
    population: Phases = Field(
        default=names.PHASES, description="phases of the schools that the question is about, or all"
    )
    comparison: Literal["not_yet_treated", "never_treated"] = Field(
        default="not_yet_treated", description="comparison schools of the Callaway-Sant'Anna check"
    )
    covariates: Names = Field(default=(), description="numeric columns of schools")
    sesoi: float = Field(
        default=0.5,
        gt=0,
        description="smallest effect of interest, in the primary outcome's gap unit",
    )
    sesoi_reason: str = Field(
        default="", description="why an effect of that size is the smallest worth having"
    )
    chosen_by: Literal["lot", "gap", "volunteers", "unknown"] = Field(
        default="unknown",
        description="how schools came to be trained: drawn by lot, chosen because of their gap, "
        "volunteers, or not known",
    )
    alpha: float = Field(
        default=0.05, description="significance level: 0.05, as every interval shown is a 95% one"
    )
    exclusions: tuple[AcademicYear, ...] = Field(
        default=(),
        description="academic years left out of every estimate, for a reason known beforehand",
    )

    @model_validator(mode="after")
    def _level_of_the_intervals(self) -> Self:
        # `significance.ALPHA`, which would load scipy to read a file.
        if self.alpha != 0.05:
            raise ValueError(
                f"protocol.alpha is {self.alpha}, must be 0.05: the report shows 95% intervals; "
                "leave it out."
            )
        return self

    @model_validator(mode="after")
    def _known_metrics(self) -> Self:
        for name in (self.primary, *self.secondary):
            registry.metric(name)
        if self.primary in self.secondary:
            raise ValueError(
                f"protocol.secondary names {self.primary}, must not: it is the primary outcome."
            )
        return self


class PublishedRoute(_Section):
    """What is asked of DfE's published tables beyond where the authority stands."""

    folder: FolderPath | None = Field(
        default=None,
        description="returns only: DfE's published files, to be read beside the returns",
    )
    offer_start: AcademicYear | None = Field(
        default=None,
        description="first academic year of this authority's offer; null: its effect is not asked",
    )
    donors: Literal["neighbours", "region", "all"] = Field(
        default="neighbours", description="authorities that the comparison is made of"
    )


class Disclosure(_Section):
    """How what leaves is protected."""

    preset: Literal["cellkey", "none"] = Field(
        default="cellkey",
        description="cellkey: the cell key method; none: exact, internal only, never for release",
    )
    closed: Literal["keep", "restate"] = Field(
        default="keep",
        description="keep published years as they were published, or count them again",
    )
    secret_file: Annotated[FolderPath, AfterValidator(_no_device)] | None = Field(
        default=None,
        description="the file that holds the authority's secret, never one of a release; "
        "the environment's VSH_EVAL_SECRET goes before it",
    )


class Spark(_Section):
    """Where the Spark session is, and what it reads itself; used where engine is spark."""

    remote: str = Field(
        default="",
        description="where Spark Connect listens, such as sc://host:15002; blank: the session of "
        "this process or of the surroundings, else one on this machine",
    )
    tables: dict[str, str] = Field(
        default_factory=dict,
        description="where Spark finds a table of the returns: a name of its catalogue, or "
        "parquet.`/folder` or delta.`/folder`; it is handed the others",
    )

    @model_validator(mode="after")
    def _tables_of_the_returns(self) -> Self:
        for name in self.tables:
            require_one_of(name, tuple(RETURNS), name="table")
        return self


class Settings(_Section):
    """Everything a run depends on."""

    name: Annotated[str, AfterValidator(_no_device)] = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=60,
        description="the run's name, small letters, digits, - and _: outputs/<name>",
    )
    authority: Authority
    source: Source
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb", description="what runs the cohort's SQL"
    )
    spark: Spark = Spark()
    years: Years
    cohort: Cohort = Cohort()
    exposure: Exposure = Exposure()
    protocol: Protocol = Protocol()
    published: PublishedRoute = PublishedRoute()
    disclosure: Disclosure = Disclosure()
    seed: int = Field(
        default=20260901, ge=0, description="seed of everything that is drawn at random"
    )
    cell_minutes: int = Field(
        default=240, ge=1, description="minutes after which a notebook's cell is taken to hang"
    )
    keep_runs: int = Field(
        default=0, ge=0, le=100, description="earlier runs kept in outputs/.<name>.earlier"
    )
    author: str = Field(default="", description="who answers for the evaluation, on every page")
    contact: str = Field(default="", description="where a reader can ask, on every page")

    @model_validator(mode="after")
    def _offer_within_the_years(self) -> Self:
        start = self.published.offer_start
        if start is not None and not self.years.first < start <= self.years.last:
            raise ValueError(
                f"published.offer_start is {academic_year.label(start)}, must lie after "
                "years.first and not after years.last."
            )
        return self

    @model_validator(mode="after")
    def _published_tables_know_one_cohort(self) -> Self:
        known = {"rule": "at_31_march", "reference": "all"}
        for key, value in known.items() if self.source.kind == "published" else ():
            written = getattr(self.cohort, key)
            if written != value:
                raise ValueError(
                    f"cohort.{key} is {written}, must be {value} where source.kind is published, "
                    f"as DfE publishes no other."
                )
        return self

    @property
    def synthetic(self) -> bool:
        """Whether the run is made from invented data."""
        return self.source.kind == "synthetic"


class _Strict(yaml.SafeLoader):
    """YAML in which a key stands once a section; of two the first would be lost without a word."""

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that is there already, then read the section as usual."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                raise SettingsError(
                    f"{self.name}: {name} stands in line {lines[name]} and again in "
                    f"line {line}, must stand once; join the two."
                )
            lines[name] = line
        return super().construct_mapping(node, deep=deep)


def load(path: Path | str) -> Settings:
    """Read a params file.

    Parameters
    ----------
    path : Path or str
        A YAML file; relative paths in it are relative to the file.

    Returns
    -------
    Settings
        Frozen and complete: every key has its default.

    Raises
    ------
    SettingsError
        If the file is missing, has another ending, is not YAML, holds an unknown key (the
        nearest known one is named) or a value against its rule.
    """
    path = Path(path)
    if not path.is_file():
        raise SettingsError(
            f"params file {path.name} does not exist in the folder {path.resolve().parent.name}; "
            "correct its name, or make params with vsh-eval init."
        )
    if path.suffix.casefold() not in (".yaml", ".yml"):
        raise SettingsError(
            f"{path.name} is no params file, must be one that ends in .yaml; name the one that "
            "says where the data are, or make params with vsh-eval init."
        )
    try:
        written = _read(path)
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"params file {path.name} is not UTF-8, first seen in line {line}, must be; save it as "
            "UTF-8."
        ) from None
    except SettingsError:
        raise  # a key that stands twice
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is the latter
        # The parser's own words quote the line, which is a pupil's where data are named by mistake.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(
            f"params file {path.name} is not YAML{where}, must be; look there for a tab, an open "
            "bracket or quotation mark, or a colon within a text, which needs quotation marks."
        ) from None
    if not isinstance(written, dict):
        raise SettingsError(f"params file {path.name} holds no keys; start from params/demo.yaml.")
    settings = parse(written, origin=path.name)
    return settings.model_copy(
        update={
            "source": _files_relative_to(_relative_to(settings.source, "folder", path), path),
            "published": _relative_to(settings.published, "folder", path),
            "disclosure": _relative_to(settings.disclosure, "secret_file", path),
        }
    )


def _read(path: Path) -> Any:
    loader = _Strict(path.read_text(encoding="utf-8-sig"))
    loader.name = path.name
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _relative_to[Section: _Section](section: Section, key: str, path: Path) -> Section:
    """Read a relative path of a section as relative to the params file."""
    written = getattr(section, key)
    if written is None:
        return section
    return section.model_copy(update={key: (path.parent / written.expanduser()).resolve()})


def _files_relative_to(source: Source, path: Path) -> Source:
    """Read every file of `Files` as relative to the params file."""
    changed: dict[str, FileSet] = {}
    for name, family in source.files.given().items():
        if not isinstance(family, FileSet):
            continue
        update: dict[str, Any] = {"files": tuple(_absolute(file, path) for file in family.files)}
        if isinstance(family, AnnexA | SessionMarks) and family.lookup:
            file = _absolute(family.lookup.file, path)
            update["lookup"] = family.lookup.model_copy(update={"file": file})
        changed[name] = family.model_copy(update=update)
    return source.model_copy(update={"files": source.files.model_copy(update=changed)})


def _absolute(file: str, path: Path) -> str:
    """Write a file's name or pattern as an absolute one."""
    return str(Path(os.path.abspath(path.parent / Path(file).expanduser())))


def parse(written: dict[str, Any], *, origin: str = "params") -> Settings:
    """Turn the keys of a params file into settings.

    Raises
    ------
    SettingsError
        In one sentence, the first key that is against its rule.

    Examples
    --------
    >>> parse({"nmae": "demo"})
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.SettingsError: params: nmae is not a key; did you mean name?
    """
    try:
        return Settings.model_validate(written)
    except ValidationError as error:
        raise SettingsError(f"{origin}: {_sentence(error)}") from None


def _sentence(error: ValidationError) -> str:
    """Say the first problem, unknown keys before everything else."""
    problems = error.errors()
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _keys(Settings)
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
        return f"{key} is not a key; did you mean {close[0]}?"
    if first["type"] == "missing":
        return f"{key} is missing; {_meaning(key)}."
    if first["type"] == "string_pattern_mismatch":  # of the run's name alone
        plain = re.sub(r"[^a-z0-9_]+", "-", first["input"].lower()).strip("-_") or "ours"
        return (
            f"{key} is {first['input']!r}, must have small letters, digits, - and _ only and begin "
            f"with a letter or a digit; write {plain}."
        )
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    message += "" if message.endswith("?") else "."
    if key and message.startswith(f"{key}."):
        return message
    shown = "" if isinstance(first["input"], dict) else f" is {first['input']!r}:"
    return f"{key}{shown} {message[0].lower()}{message[1:]}" if key else message


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, field in model.model_fields.items():
        keys.append(prefix + name)
        section = _section(field.annotation)
        if section is not None:
            keys.extend(_keys(section, f"{prefix}{name}."))
    return keys


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a key holds, be it optional, and None where it holds a value."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _meaning(key: str) -> str:
    model: type[BaseModel] = Settings
    *sections, last = key.split(".")
    for section in sections:
        model = _section(model.model_fields[section].annotation) or model
    text = model.model_fields[last].description if last in model.model_fields else None
    return f"give {text}" if text else f"add the section {last}"
