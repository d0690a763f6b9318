"""What an authority hands to others to be pooled: one checked file, and how it is read.

A bundle is a zip file or a folder of `ABOUT` (JSON: whose results, by which definitions, how far
they can be trusted) and `ESTIMATES` (CSV: released estimates). It holds nothing that a release does
not. What is read is data from outside: it is never unpacked to disk, never executed, and every text
in it is a code of a closed list, a number, a hash, or an authority's name of a fixed pattern.
"""

import csv
import hashlib
import io
import json
import math
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from vsh_eval import registry
from vsh_eval.contracts import ContractError, SettingsError, require_one_of
from vsh_eval.release.disclosure.rules import rule_named
from vsh_eval.release.disclosure.safe_table import SafeTable, require_safe
from vsh_eval.release.pages.report import write_whole
from vsh_eval.release.rows import Row, is_shown, records
from vsh_eval.release.text.findings.evidence import STATEMENT_NAMES
from vsh_eval.release.text.findings.reasons import COMPOSITION
from vsh_eval.release.text.findings.registration import STATUSES
from vsh_eval.release.text.phrases.labels import GROUP_LABELS, RULE_LABELS, VERDICT_LABELS
from vsh_eval.settings import Cohort, Exposure, Protocol, Years

FORMAT = "vsh_eval estimates for pooling"
SCHEMA = 3
"""Raised when a key changes its meaning or goes."""
ABOUT, ESTIMATES = "bundle.json", "estimates.csv"
LARGEST = 1_000_000
"""Bytes of a bundle, and of either file in it; an ordinary one has a hundredth."""
MOST_ROWS = 2_000
ESTIMATORS = ("imputation", "same_past")
ASKED = frozenset({"primary", "secondary", "population", "sesoi", "alpha", "exclusions"})
"""Settings of the protocol that define what is estimated; the others say how it is checked."""
_RULE = rule_named("cellkey")
_LARGEST_NUMBER = 1_000.0
"""Percentage or score points: no effect is larger."""

_Closed = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Point = Annotated[float, Field(ge=-_LARGEST_NUMBER, le=_LARGEST_NUMBER)]
_P = Annotated[float, Field(ge=0, le=1)]
_Schools = Annotated[int, Field(ge=_RULE.min_schools, le=30_000)]
_Df = Annotated[float, Field(ge=_RULE.min_df, le=1e6)]
_Pupils = Annotated[int, Field(ge=_RULE.threshold, multiple_of=_RULE.base, le=10_000_000)]
_NUMBER = "(0|[1-9][0-9]*)"
_VERSION = (
    rf"^({_NUMBER}!)?{_NUMBER}(\.{_NUMBER})*((a|b|rc){_NUMBER})?"
    rf"(\.post{_NUMBER})?(\.dev{_NUMBER})?(\+[a-z0-9]+(\.[a-z0-9]+)*)?$"
)
"""A version as an installed package states its own: PEP 440, in its normal form."""
_PROGRAMME = r"^[a-z][a-z0-9_]{0,39}$"


def _one_of(allowed: Collection[str], name: str) -> AfterValidator:
    return AfterValidator(partial(require_one_of, allowed=allowed, name=name))


def _blank_as_none(value: Any) -> Any:
    return None if value == "" else value


_Blank = BeforeValidator(_blank_as_none)
_Metric = Annotated[str, _one_of(registry.METRICS, "metric")]


class _Section(BaseModel):
    model_config = _Closed


class Authority(_Section):
    """Whose results these are."""

    code: str = Field(pattern=r"^E(06|07|08|09|10)[0-9]{6}$")
    name: str = Field(pattern=r"^[A-Za-z]+(?:(?:, | & |\. | |'|-)[A-Za-z]+)*$", max_length=60)


class Definitions(_Section):
    """What is estimated of whom: equal in all bundles of a pool."""

    years: Years
    cohort: Cohort
    exposure: Exposure
    protocol: Protocol

    @model_validator(mode="after")
    def _codes_only(self) -> Self:
        others = self.protocol.model_dump(exclude=set(ASKED))
        if others != Protocol().model_dump(exclude=set(ASKED)):
            raise ValueError(f"protocol must hold {', '.join(sorted(ASKED))} alone.")
        programmes = self.exposure.programmes
        for programme in () if isinstance(programmes, str) else programmes:
            if re.fullmatch(_PROGRAMME, programme) is None:
                raise ValueError("exposure.programmes must be small letters, digits and _.")
        return self

    def written(self) -> dict[str, Any]:
        """Return the definitions as a bundle has them."""
        definitions = self.model_dump(mode="json")
        definitions["protocol"] = {key: definitions["protocol"][key] for key in sorted(ASKED)}
        return definitions


class Registration(_Section):
    """How the results stand to the authority's registration."""

    status: Annotated[str, _one_of(STATUSES, "status")]
    sha256: Annotated[_Hash | None, _Blank]
    in_time: bool | None
    chosen_by: Literal["lot", "gap", "volunteers", "unknown"]


class Verdict(_Section):
    """One rule of the evidence statement."""

    rule: Annotated[str, _one_of(RULE_LABELS, "rule")]
    verdict: Annotated[str, _one_of(VERDICT_LABELS, "verdict")]
    value: _Point | None
    limit: _Point | None


class Evidence(_Section):
    """The authority's own evidence statement."""

    statement: Annotated[str, _one_of(STATEMENT_NAMES, "statement")]
    confidence: Literal["high", "moderate", "none"]
    decided_by: Annotated[str, _one_of(("", *RULE_LABELS), "decided_by")]
    rules: tuple[Verdict, ...] = Field(max_length=len(RULE_LABELS))


class About(_Section):
    """Everything a bundle says beside its estimates."""

    format: Literal["vsh_eval estimates for pooling"]
    schema_version: Literal[3]
    software: str = Field(pattern=_VERSION, max_length=40)
    made: date
    invented: bool
    authority: Authority
    definitions: Definitions
    registration: Registration
    evidence: Evidence
    release_sha256: _Hash
    estimates_sha256: _Hash


TARGETS = ("gap", "group_level", "reference_level", "drift", *COMPOSITION)
"""What an estimate may be of."""


class Estimate(_Section):
    """One released estimate."""

    target: Annotated[str, _one_of(TARGETS, "target")]
    role: Literal["primary", "secondary", "robustness"]
    metric: _Metric
    estimator: Literal["imputation", "same_past"]
    aggregation: Literal["simple", "event"]
    index: int = Field(ge=-20, le=20)
    estimate: _Point
    std_error: float = Field(gt=0, le=_LARGEST_NUMBER)
    df: Annotated[_Df | None, _Blank]
    bias: Annotated[_Point | None, _Blank]
    ci_lower: Annotated[_Point | None, _Blank]
    ci_upper: Annotated[_Point | None, _Blank]
    p_value: Annotated[_P | None, _Blank]
    schools_treated: Annotated[_Schools | None, _Blank]
    schools_comparison: Annotated[_Schools | None, _Blank]
    pupils: Annotated[_Pupils | None, _Blank]

    @model_validator(mode="after")
    def _within_its_interval(self) -> Self:
        lower, upper = self.ci_lower, self.ci_upper
        if lower is not None and upper is not None and not lower <= self.estimate <= upper:
            raise ValueError("estimate must lie within its interval.")
        return self


_WHOLE = ("index", "schools_treated", "schools_comparison", "pupils")
COLUMNS = tuple(Estimate.model_fields)
"""Columns of `ESTIMATES`, in order."""


class Bundle(NamedTuple):
    """A bundle that has passed every check."""

    about: About
    estimates: tuple[Estimate, ...]


def write_bundle(
    path: Path,
    about: Mapping[str, Any],
    *,
    impact: SafeTable,
    evidence: SafeTable,
    attribution: SafeTable,
) -> None:
    """Write an authority's bundle.

    Parameters
    ----------
    path : Path
        The zip file; its folder must exist.
    about : mapping
        software, made, invented, authority, definitions, registration and release_sha256, as
        `About` has them.
    impact, evidence, attribution : SafeTable
        The tables of that name of a release.

    Raises
    ------
    DisclosureError
        If a table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If something is not as a reader of the bundle would demand.
    """
    for table in (impact, evidence, attribution):
        require_safe(table)
    definitions = Definitions.model_validate(about["definitions"])
    lines = [*_of_impact(impact, definitions), *_of_attribution(attribution)]
    estimates = _csv(lines)
    rows = records(evidence)
    contents = {
        **about,
        "format": FORMAT,
        "schema_version": SCHEMA,
        "definitions": definitions.written(),
        "evidence": {
            **{n: str(rows[0][n] or "") for n in ("statement", "confidence", "decided_by")},
            "rules": [
                {
                    "rule": row["rule"],
                    "verdict": row["verdict"],
                    **{n: float(row[n]) if is_shown(row, n) else None for n in ("value", "limit")},
                }
                for row in rows
            ],
        },
        "estimates_sha256": hashlib.sha256(estimates).hexdigest(),
    }
    contents["sha256"] = _hash_of(contents)
    text = json.dumps(contents, indent=1, ensure_ascii=False, allow_nan=False)
    files = {ABOUT: f"{text}\n".encode(), ESTIMATES: estimates}
    _checked(path.name, files)
    write_whole(path, _packed(files))


def read_bundle(path: Path) -> Bundle:
    """Read a bundle and check everything in it.

    Parameters
    ----------
    path : Path
        A zip file, or a folder with the same two files.

    Returns
    -------
    Bundle

    Raises
    ------
    ContractError
        In one sentence, what is wrong with it first: it is none, is too large, holds other files,
        was changed since it was written, or a key or number is against its rule.

    Notes
    -----
    The hashes find a change by accident or by hand. They do not prove who wrote the file: take a
    bundle only from the authority itself.
    """
    return _checked(path.name, _files_of(path))


def copy_bundle(path: Path, to: Path) -> None:
    """Write a bundle that `read_bundle` takes, zip file or folder, as a zip file.

    Raises
    ------
    ContractError
        As `read_bundle`.
    """
    files = _files_of(path)
    _checked(path.name, files)
    write_whole(to, _packed(files))


def _packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file that is the same for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, content in files.items():
            folder.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _of_impact(impact: SafeTable, definitions: Definitions) -> Iterator[dict[str, Any]]:
    """Yield the estimates of the gaps, and those of both levels of the primary outcome."""
    asked = definitions.protocol
    levels = {
        GROUP_LABELS[definitions.cohort.group]: "group_level",
        GROUP_LABELS[definitions.cohort.reference]: "reference_level",
    }
    for row in records(impact):
        known = row["estimator"] in ESTIMATORS and row["aggregation"] in ("simple", "event")
        if not known or not is_shown(row, "estimate", "std_error"):
            continue
        subgroup = str(row["subgroup"] or "")
        if subgroup == "own_level" and row["part"] in levels:
            yield _line(row, levels[str(row["part"])], "robustness")
        elif not subgroup and row["metric"] in (asked.primary, *asked.secondary):
            role = "primary" if row["metric"] == asked.primary else "secondary"
            first = row["estimator"] == ESTIMATORS[0]
            yield _line(row, "gap", role if first or role == "secondary" else "robustness")


def _of_attribution(attribution: SafeTable) -> Iterator[dict[str, Any]]:
    for row in records(attribution):
        if is_shown(row, "estimate", "std_error"):
            yield _line(row, str(row["target"]), "robustness")


def _line(row: Row, target: str, role: str) -> dict[str, Any]:
    given = {name: row[name] for name in COLUMNS if name in row and is_shown(row, name)}
    whole = {name: int(given[name]) for name in _WHOLE if name in given}
    return {**given, **whole, "target": target, "role": role}


def _csv(lines: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def _hash_of(contents: Mapping[str, Any]) -> str:
    """Return the hash of everything that a bundle says, whatever its blanks and order."""
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse(name: str, what: str, rule: str) -> NoReturn:
    raise ContractError(
        f"bundle {name!r:.80} {what}, must {rule}; ask the authority to write it again with "
        "vsh-eval exchange."
    )


def _files_of(path: Path) -> dict[str, bytes]:
    """Return the two files of a bundle, read into memory and no further than `LARGEST`."""
    if path.is_dir():
        files = {file.name: file for file in path.iterdir()}
        _require_the_two(path.name, list(files))
        if any(file.is_symlink() or not file.is_file() for file in files.values()):
            _refuse(path.name, "holds links or folders", "hold two plain files")
        opened = {}
        for name, file in files.items():
            with file.open("rb") as stream:
                opened[name] = stream.read(LARGEST + 1)
    elif path.is_file():
        opened = _unpacked(path)
    else:
        raise SettingsError(
            f"bundle {path.name!r} does not exist, must be a zip file or a folder; correct the "
            "name."
        )
    for name, content in opened.items():
        if len(content) > LARGEST:
            _refuse(path.name, f"has more than {LARGEST:,} bytes in {name}", "have fewer")
    return opened


def _unpacked(path: Path) -> dict[str, bytes]:
    if path.stat().st_size > LARGEST:
        _refuse(path.name, f"has more than {LARGEST:,} bytes", "have fewer")
    try:
        with zipfile.ZipFile(path) as packed:
            _require_the_two(path.name, packed.namelist())
            opened = {}
            for name in (ABOUT, ESTIMATES):
                with packed.open(name) as stream:
                    opened[name] = stream.read(LARGEST + 1)
            return opened
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError):
        _refuse(path.name, "cannot be unpacked", "be a zip file without a password")


def _require_the_two(name: str, file_names: list[str]) -> None:
    if sorted(file_names) != sorted((ABOUT, ESTIMATES)):
        _refuse(name, f"holds {len(file_names)} files", f"hold {ABOUT} and {ESTIMATES} alone")


def _checked(name: str, files: Mapping[str, bytes]) -> Bundle:
    """Check hashes, then keys and values, of everything a bundle says."""
    contents = _json(name, files[ABOUT])
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        _refuse(name, "is no bundle of estimates", f"say format: {FORMAT}")
    if contents.get("schema_version") != SCHEMA:
        _refuse(name, "is of another version", f"have schema_version {SCHEMA}")
    if contents.pop("sha256", "") != _hash_of(contents):
        _refuse(name, f"has a changed {ABOUT}", "be as it was written")
    if hashlib.sha256(files[ESTIMATES]).hexdigest() != contents.get("estimates_sha256"):
        _refuse(name, f"has a changed {ESTIMATES}", "be as it was written")
    try:
        about = About.model_validate(contents)
        estimates = tuple(Estimate.model_validate(row) for row in _lines(name, files[ESTIMATES]))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        _refuse(name, f"has a wrong {key!r:.80}" if key else "is wrong", _rule_of(problem))
    _require_each_once(name, estimates)
    return Bundle(about, estimates)


def _rule_of(problem: Any) -> str:
    """Write what pydantic demands as the rule of a refusal, never the value that is wrong."""
    if problem["type"] == "extra_forbidden":
        return "have no unknown key"
    message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    _, _, rule = message.rpartition("must ")
    if problem["type"] == "value_error" and rule:
        return rule.partition(";")[0]  # the remedy is to ask the authority
    return f"meet its rule ({message[:1].lower()}{message[1:]})"


def _json(name: str, text: bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    def finite(written: str) -> float:
        number = float(written)
        if not math.isfinite(number):
            raise ValueError("a number is not finite")
        return number

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError):
        _refuse(name, f"has a {ABOUT} that cannot be read", "be JSON, each key once, all finite")


def _lines(name: str, content: bytes) -> Iterator[dict[str, Any]]:
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        head, *rows = list(reader) or [[]]
    except (UnicodeDecodeError, csv.Error):
        _refuse(name, f"has an {ESTIMATES} that cannot be read", "be CSV in UTF-8")
    if tuple(head) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        _refuse(name, f"has an {ESTIMATES} of other columns", f"hold {', '.join(COLUMNS)}")
    if len(rows) > MOST_ROWS:
        _refuse(name, f"has {len(rows):,} estimates", f"have {MOST_ROWS:,} at most")
    for row in rows:
        yield dict(zip(COLUMNS, row, strict=True))


def _require_each_once(name: str, estimates: tuple[Estimate, ...]) -> None:
    requested = [
        (row.target, row.metric, row.estimator, row.aggregation, row.index) for row in estimates
    ]
    if len(set(requested)) < len(requested):
        _refuse(name, "gives an estimate twice", "give each once")
