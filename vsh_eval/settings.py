"""Typed, frozen settings read from a params file (YAML); unknown keys are refused."""

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from vsh_eval import academic_year, names, registry
from vsh_eval.contracts import SettingsError, require_one_of

AcademicYear = Annotated[
    int, BeforeValidator(academic_year.parse, json_schema_input_type=int | str)
]


def _phases(written: Any) -> Any:
    """Read ``all`` as every phase, and refuse one that is unknown."""
    if written == "all":
        return names.PHASES
    for phase in written if isinstance(written, list | tuple) else [written]:
        require_one_of(phase, names.PHASES, name="phase")
    return written


Phases = Annotated[
    tuple[str, ...],
    BeforeValidator(_phases, json_schema_input_type=Literal["all"] | tuple[str, ...]),
    Field(min_length=1),
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Authority(_Section):
    """The local authority that the virtual school serves."""

    code: str = Field(description="nine-character ONS code, for example E06000049")
    name: str = Field(description="the authority's name as the report writes it")


class Source(_Section):
    """Where the data come from."""

    kind: Literal["synthetic", "returns", "published"] = Field(
        description="an invented authority, a folder of returns, or DfE's published files"
    )
    folder: Path | None = Field(
        default=None, description="the folder of the returns or of the published files"
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
        if self.kind != "synthetic" and self.folder is None:
            raise ValueError(f"source.folder is missing; name the folder of the {self.kind} files.")
        return self


class Years(_Section):
    """The academic years of the evaluation."""

    first: AcademicYear = Field(description="first academic year used")
    last: AcademicYear = Field(description="last academic year used")
    baseline: AcademicYear = Field(description="year that changes are counted from")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.first <= self.baseline <= self.last:
            raise ValueError(
                f"years.baseline is {academic_year.label(self.baseline)}, must lie between "
                f"years.first and years.last."
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


class Exposure(_Section):
    """When a school counts as trained."""

    rule: Literal["first_full_year", "same_year"] = Field(
        default="first_full_year",
        description="treated from the year of training if it began by 31 October, else the next",
    )
    programmes: Literal["all"] | tuple[str, ...] = Field(
        default="all", description="the programmes that count as training"
    )
    tier: Literal["any", "universal", "targeted"] = Field(
        default="any", description="tiers that count"
    )


class Protocol(_Section):
    """What was decided before any effect was looked at; ``vsh-eval register`` freezes it."""

    primary: str = Field(default="overall_absence", description="the primary outcome")
    secondary: tuple[str, ...] = Field(
        default=("persistent_absence", "severe_absence"), description="secondary outcomes"
    )
    population: Phases = Field(
        default=names.PHASES, description="phases of the schools that the question is about, or all"
    )
    comparison: Literal["not_yet_treated", "never_treated"] = Field(
        default="not_yet_treated", description="comparison schools of the Callaway-Sant'Anna check"
    )
    covariates: tuple[str, ...] = Field(default=(), description="numeric columns of schools")
    sesoi: float = Field(
        default=0.5,
        gt=0,
        description="smallest effect of interest, in the primary outcome's gap unit",
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="significance level")
    exclusions: tuple[AcademicYear, ...] = Field(
        default=(),
        description="academic years left out of every estimate, for a reason known beforehand",
    )

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

    folder: Path | None = Field(
        default=None,
        description="returns only: DfE's published files, to be read beside the returns",
    )
    offer_start: AcademicYear | None = Field(
        default=None,
        description="first academic year of this authority's offer; null: its effect is not asked",
    )
    donors: Literal["neighbours", "region", "all"] = Field(
        default="neighbours",
        description="authorities that the comparison is made of",
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
    secret_file: Path | None = Field(
        default=None,
        description="the file that holds the authority's secret, never one of a release; "
        "the environment's VSH_EVAL_SECRET goes before it",
    )


class Settings(_Section):
    """Everything a run depends on."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$", description="the run's name: outputs/<name>"
    )
    authority: Authority
    source: Source
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb", description="what runs the cohort's SQL"
    )
    years: Years
    cohort: Cohort = Cohort()
    exposure: Exposure = Exposure()
    protocol: Protocol = Protocol()
    published: PublishedRoute = PublishedRoute()
    disclosure: Disclosure = Disclosure()
    seed: int = Field(
        default=20260901, ge=0, description="seed of everything that is drawn at random"
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

    @property
    def synthetic(self) -> bool:
        """Whether the run is made from invented data."""
        return self.source.kind == "synthetic"


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
        If the file is missing, is not YAML, holds an unknown key (the nearest known one is
        named) or a value against its rule.
    """
    path = Path(path)
    if not path.is_file():
        raise SettingsError(f"params file {path.name} does not exist; name a YAML file in params/.")
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(f"params file {path.name} is not YAML: {_one_line(error)}") from error
    if not isinstance(written, dict):
        raise SettingsError(f"params file {path.name} holds no keys; start from params/demo.yaml.")
    settings = parse(written, origin=path.name)
    return settings.model_copy(
        update={
            "source": _relative_to(settings.source, "folder", path),
            "published": _relative_to(settings.published, "folder", path),
            "disclosure": _relative_to(settings.disclosure, "secret_file", path),
        }
    )


def _relative_to[Section: _Section](section: Section, key: str, path: Path) -> Section:
    """Read a relative path of a section as relative to the params file."""
    written = getattr(section, key)
    if written is None:
        return section
    return section.model_copy(update={key: (path.parent / written.expanduser()).resolve()})


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
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    if key and message.startswith(f"{key}."):
        return f"{message}."
    shown = "" if isinstance(first["input"], dict) else f" is {first['input']!r}:"
    return f"{key}{shown} {message[0].lower()}{message[1:]}." if key else f"{message}."


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found.extend(_keys(field.annotation, f"{prefix}{name}."))
    return found


def _meaning(key: str) -> str:
    model: type[BaseModel] = Settings
    *sections, last = key.split(".")
    for section in sections:
        annotation = model.model_fields[section].annotation
        model = annotation if isinstance(annotation, type) else model
    text = model.model_fields[last].description if last in model.model_fields else None
    return f"give {text}" if text else f"add the section {last}"


def _one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))
