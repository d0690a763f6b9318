"""What parts of the schools, groups and doses are called, and what their estimates rest on."""

import pandas as pd

from vsh_eval import registry
from vsh_eval.release.text.findings.reasons import YEAR_EFFECTS, in_words
from vsh_eval.release.text.phrases.labels import upper_first, value_label
from vsh_eval.release.text.words import words

ASSUMPTIONS = words("sentences", "assumption")
"""What must hold beside, by code."""
_WEIGHTS = words("sentences", "weights")
_YEAR_EFFECTS = {**YEAR_EFFECTS, "common": "common", "by_phase": "by phase"}


def subgroups_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Word a table of subgroups.

    Parameters
    ----------
    table : DataFrame
        subgroup and value (codes), assumption (a code), reason (a message), and numbers.

    Returns
    -------
    DataFrame
        With part (what a reader calls it) and words in the other columns, doses from the lowest.
    """
    pairs = [(str(s), str(v)) for s, v in table[["subgroup", "value"]].to_numpy()]
    worded = in_words(table, "reason").assign(
        value=[_dose(value) if kind == "dose" else value for kind, value in pairs],
        part=[part_name(kind, value) for kind, value in pairs],
        assumption=[ASSUMPTIONS[code] for code in table["assumption"]],
    )
    kinds = {kind: place for place, kind in enumerate(dict.fromkeys(table["subgroup"]))}
    doses = ("low", "middle", "high")
    order = [
        (kinds[kind], doses.index(value.split(":")[0]) if kind == "dose" and ":" in value else 0)
        for kind, value in pairs
    ]
    return worded.iloc[sorted(range(len(order)), key=order.__getitem__)].reset_index(drop=True)


def specifications_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Word a specification curve: its choices, and why one cannot be made."""
    return in_words(table, "reason").assign(
        weights=table["weights"].replace(dict(_WEIGHTS)),
        year_effects=table["year_effects"].replace(dict(_YEAR_EFFECTS)),
    )


def part_name(subgroup: str, value: str) -> str:
    """Name a part of the schools or children as a reader knows it.

    Examples
    --------
    >>> part_name("dose", "middle:2.5:5"), part_name("phase", "primary")
    ('Middle: to 5 staff per 100 pupils', 'Primary')
    """
    if subgroup == "outcome":
        return registry.metric(value).label
    if subgroup == "dose":
        return upper_first(_dose(value))
    return value_label(subgroup, value)


def _dose(value: str) -> str:
    if ":" not in value:
        return value
    band, lower, upper = value.split(":")
    limit = f"to {upper}" if upper else f"over {lower}"
    return f"{band}: {limit} staff per 100 pupils"
