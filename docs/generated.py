"""Fills the marks ``<!-- generated: what -->`` of the pages with what stands in the code."""

import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from itertools import groupby
from typing import Any

import typer

from vsh_eval import academic_year, contracts, registry
from vsh_eval.cli import app as commands_of_the_package
from vsh_eval.pipeline import catalogue
from vsh_eval.release.text.findings import evidence
from vsh_eval.release.text.findings.checks import CHECK_NAMES
from vsh_eval.release.text.phrases import labels, protection, tables
from vsh_eval.returns.checks.rules import CHECKS
from vsh_eval.settings import Settings

MARK = re.compile(r"^<!-- generated: (\w+)(?: (\S+))? -->$", re.MULTILINE)


def _cell(text: object) -> str:
    """Write a text so that Markdown shows every sign of it."""
    return (
        re.sub(r"([\\|*\[\]`$])", r"\\\1", str(text).replace("``", ""))
        .replace("<", "&lt;")
        .replace("\n", " ")
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table; a text that is code already is left as it is."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads)]
    lines += [[c if isinstance(c, _Code) else _cell(c) for c in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


class _Code(str):
    """A text that is shown as code, or is Markdown already."""

    __slots__ = ()


def _code(text: object) -> _Code:
    return _Code(f"`{text}`" if str(text) else "")


def commands() -> str:
    """Every command with its arguments and options, from the command line itself."""
    root: Any = typer.main.get_command(commands_of_the_package)
    parts = []
    for name, command in root.commands.items():
        rows = [(_code(_written(option)), getattr(option, "help", "") or "", _default(option))
                for option in command.params]  # fmt: skip
        parts.append(f"## `vsh-eval {name}`\n\n{command.help}")
        if rows:
            parts.append(_table(("what is given", "meaning", "if left out"), rows))
    return "\n\n".join(parts)


def _written(option: Any) -> str:
    if option.param_type_name == "argument":
        return f"{option.name.upper()}{' ...' if option.nargs == -1 else ''}"
    return ", ".join(option.opts)


def _default(option: Any) -> str:
    if option.required:
        return "must be given"
    return "" if option.default in (None, "", False) else str(option.default)


def params() -> str:
    """Every key of a params file, section by section, from its JSON Schema."""
    schema = Settings.model_json_schema()
    return "\n\n".join(_section(schema, schema["$defs"], ""))


def _section(section: Mapping[str, Any], known: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield the heading and the table of a section, then those of the sections in it."""
    inner, rows, needed = [], [], section.get("required", ())
    for name, one in section["properties"].items():
        whole = f"{key}.{name}" if key else name
        reference = next(iter(re.findall(r"#/\$defs/(\w+)", str(one))), "")
        if "properties" in known.get(reference, {}):
            inner.append((known[reference], whole))
            meaning = one.get("description") or known[reference].get("description", "")
            allowed = "a section"
        else:
            meaning, allowed = one.get("description", ""), _allowed(one)
        default = "must be given" if name in needed else _shown(one.get("default"))
        rows.append((_code(name), meaning, allowed, default))
    yield f"## `{key}`\n\n{section.get('description', '')}" if key else "## The file itself"
    yield _table(("key", "meaning", "values", "if left out"), rows)
    for one, whole in inner:
        yield from _section(one, known, whole)


def _allowed(one: Mapping[str, Any]) -> str:
    """Say which values a key may have."""
    kinds = [_allowed(kind) for kind in one.get("anyOf", ())]
    if kinds:
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    if "const" in one or "enum" in one:
        return ", ".join(map(str, one.get("enum", [one.get("const")])))
    limits = [words.format(one[rule]) for rule, words in _LIMITS.items() if rule in one]
    of = one.get("items") or one.get("additionalProperties")
    inside = f" of {_allowed(of)}" if isinstance(of, Mapping) else ""
    return " ".join([_KINDS.get(one.get("type", ""), one.get("type", "")) + inside, *limits])


_KINDS = {"array": "list", "object": "section", "string": "text", "integer": "whole number"}
_LIMITS = {
    **{"minimum": "from {}", "maximum": "to {}", "exclusiveMinimum": "above {}"},
    **{"exclusiveMaximum": "below {}", "maxLength": "of at most {} signs"},
}


def _shown(default: object) -> str:
    if isinstance(default, list | tuple):
        return ", ".join(map(str, default)) or "none"
    return "" if default is None or isinstance(default, Mapping) else str(default) or "blank"


def inputs() -> str:
    """Every table of the returns and its columns, from the input contract."""
    parts = []
    for table in contracts.RETURNS.values():
        needed = "" if table.required else " (optional)"
        keys = ", ".join(table.keys)
        rows = [(_code(c.name), c.kind.replace("_", " "), _rule_of(c)) for c in table.columns]
        parts.append(f"### `{table.name}`{needed}\n\nOne row for each {_cell(keys)}.")
        parts.append(_table(("column", "kind", "rule"), rows))
    return "\n\n".join(parts)


def _rule_of(column: contracts.Column) -> str:
    low, high = column.minimum, column.maximum
    said = [", ".join(column.allowed)] if column.allowed else []
    if low is not None:
        said.append(f"from {low:g}" + ("" if high is None else f" to {high:g}"))
    said += ["may be blank"] * column.nullable + ["may be left out"] * (not column.required)
    return "; ".join(said)


def metrics() -> str:
    """Every metric with its definition, from the registry."""
    alike = groupby(registry.METRICS.values(), key=lambda m: (m.population, m.source))
    return "\n\n".join(
        f"Counted: {_cell(population)}. Source: {_cell(source)}.\n\n"
        + _table(
            ("metric", "what it is called", "numerator", "denominator"),
            [(_code(m.name), f"{m.label} ({m.unit})", m.numerator, m.denominator) for m in some],
        )
        for (population, source), some in alike
    )


def breaks() -> str:
    """Every year in which a metric has no data or means something else, from the registry."""
    return _table(
        ("year", "metrics", "what happened", "source"),
        [(academic_year.label(b.time_period), _Code(", ".join(map(_code, b.metrics))), b.note,
          b.source) for b in sorted(registry.BREAKS, key=lambda b: b.time_period)],
    )  # fmt: skip


def checks() -> str:
    """Every check of the returns: its rule, and what to do about it."""
    rows = [
        (_code(name), *_in_general(check.sentence).split("; ", 1))
        for stage in CHECKS.values() for name, check in stage.items()
    ]  # fmt: skip
    return _table(("check", "rule", "what to do"), rows)


def _in_general(sentence: str) -> str:
    """Word a rule for whichever table and columns it is asked of."""
    said = re.sub(r"([Tt]he table )?\{table\}", "the table", sentence)
    return labels.upper_first(said.replace("{columns}", "the columns"))


def robustness() -> str:
    """Every check that could change our mind about an estimate."""
    return _table(
        ("check", "question", "what would change our mind"),
        [(f"{n['letter']} ({code})", n["question"], n["what"])
         for code, n in CHECK_NAMES.items()],
    )  # fmt: skip


def statements() -> str:
    """Every answer that the evidence can give, with the words of the report."""
    meanings = evidence._MEANING  # the same words as on the page
    return _table(
        ("answer", "what it means"),
        [
            (name, labels.upper_first(meanings[code]))
            for code, name in evidence.STATEMENT_NAMES.items()
        ],
    )


def released() -> str:
    """Every table that a run may release, by the question that it answers."""
    rows = [
        (_code(f"{n}.csv"), said["title"], said["question"])
        for n, said in sorted(tables.TABLES.items())
    ]
    return _table(("file", "title", "question"), rows)


def gates() -> str:
    """Say what is done to each kind of table to protect children, in the words of the report."""
    return _table(
        ("kind of table", "what its reader is told"),
        [(gate, " ".join(notes)) for gate, notes in protection.NOTES.items() if notes],
    )


def codes() -> str:
    """Say what the codes of groups, phases, programmes, rules and symbols mean."""
    known: dict[str, Mapping[Any, str]] = {
        "Groups of children": labels.GROUP_LABELS,
        "When a child counts": labels.COHORT_RULE_LABELS,
        "Phases of schools": labels.PHASE_LABELS,
        "Programmes": labels.PROGRAMME_LABELS,
        "Symbols in place of a number": labels.SYMBOL_MEANINGS,
    }
    return "\n\n".join(
        f"### {title}\n\n"
        + _table(("code", "meaning"), [(_code(code), text) for code, text in words.items()])
        for title, words in known.items()
    )


def notebooks() -> str:
    """Every notebook, the question it answers, and the kinds of data it is asked of."""
    return _table(
        ("notebook", "question", "asked of"),
        [(_code(n.name), n.question, ", ".join(n.kinds)) for n in catalogue.NOTEBOOKS],
    )


def api(package: str) -> str:
    """Every public module of a package, by its docstrings."""
    root = import_module(package)
    found = pkgutil.walk_packages(getattr(root, "__path__", ()), f"{package}.")
    names = [package, *sorted(one.name for one in found)]
    return "\n\n".join(
        f"## `{name.removeprefix('vsh_eval.')}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n```"
        for name in names
        if not any(part.startswith("_") for part in name.split("."))
    )


GENERATED: Mapping[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        *(commands, params, inputs, metrics, breaks, checks, robustness, statements, released),
        *(gates, codes, notebooks, api),
    )
}
"""What a mark may ask for."""


def fill(_app: Any, _page: str, source: list[str]) -> None:
    """Put what is asked for in place of each mark of a page."""
    source[0] = MARK.sub(lambda mark: GENERATED[mark[1]](*filter(None, [mark[2]])), source[0])
