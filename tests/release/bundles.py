"""Bundles of invented authorities, made through the door as a run makes them."""

from pathlib import Path

import numpy as np
import pandas as pd

from vsh_eval.contracts import produces
from vsh_eval.numerics.inference.significance import t_critical, t_p_value
from vsh_eval.pipeline.questions.impact import _ESTIMATES, ATTRIBUTION_COLUMNS
from vsh_eval.release.disclosure import release_table, rule_named
from vsh_eval.release.files.exchange import write_bundle

NAMES = ("Invented Abbey", "Invented Bay", "Invented Combe", "Invented Dale", "Invented Edge")
DEFINITIONS = {
    "years": {"first": 201617, "last": 202425, "baseline": 201819},
    "cohort": {"rule": "any_time_in_year", "basis": "episode", "look_back": 6, "group": "cwsw",
        "reference": "peers"},
    "exposure": {"rule": "first_full_year", "programmes": "all", "tier": "any"},
    "protocol": {"primary": "overall_absence", "secondary": ["persistent_absence"],
        "population": ["primary", "secondary"], "sesoi": 0.5, "alpha": 0.05, "exclusions": []},
}  # fmt: skip
LABELS = {"programme": "any", "tier": "any", "phase": "total", "comparison": "not_yet_treated"}
SCHOOLS = {"schools_treated": 40, "schools_comparison": 30, "pupils": 800, "df": 69.0}


def released(frame, kind, columns, *, gate):
    """Let a table through the door."""
    producer = produces(kind, columns, gate=gate)(lambda: frame)
    return release_table(producer, rule=rule_named("cellkey"), stamp="SYNTHETIC")


def about(number=0, **changes):
    """What a bundle says beside its tables."""
    said = {
        "software": "0.1.0",
        "made": "2026-11-29",
        "invented": True,
        "authority": {"code": f"E0600090{number}", "name": NAMES[number]},
        "definitions": DEFINITIONS,
        "registration": {
            "status": "registered",
            "sha256": "a" * 64,
            "in_time": True,
            "chosen_by": "lot",
        },
        "release_sha256": "b" * 64,
    }
    return said | changes


def estimate(value, error, **labels):
    """A row of the estimates contract."""
    row = {"role": "primary", "metric": "overall_absence", "estimator": "imputation"} | LABELS
    row |= {"aggregation": "simple", "index": 0, "subgroup": "", "part": "", "status": ""}
    reach = float(t_critical(69.0)) * error
    row |= {"estimate": value, "std_error": error, **SCHOOLS, "largest_share": 0.1}
    row |= {"ci_lower": value - reach, "ci_upper": value + reach}
    row |= {"p_value": float(t_p_value(np.array(value), np.array(error), np.array(69.0)))}
    return row | labels


def impact(value, *, second=None, leads=(0.1, -0.2), error=0.8):
    """An authority's estimates: both estimators, years since training, both levels, another."""
    again = {"role": "robustness", "estimator": "same_past"}
    other = {"role": "secondary", "metric": "persistent_absence"}
    level = {"role": "robustness", "subgroup": "own_level"}
    peers, group = "Pupils without a social worker", "Children with a social worker"
    rows = [
        estimate(value, error),
        *(
            estimate(v, error, aggregation="event", index=i)
            for i, v in zip((-3, -2), leads, strict=True)
        ),
        *(estimate(value + d, error, aggregation="event", index=i) for i, d in enumerate((0.2, 0))),
        estimate(value if second is None else second, 0.9 * error, **again),
        estimate(2 * value, 3 * error, **other),
        estimate(2 * value, 3 * error, **other | again),
        estimate(value, error, **level, part=group),
        estimate(0.02, 0.1, **level, part=peers),
    ]
    columns = [name for name in _ESTIMATES if name in {*rows[0]}]
    return released(pd.DataFrame(rows), "estimates", columns, gate="estimates")


def attribution():
    row = estimate(0.02, 0.1, role="robustness") | {"target": "drift", "bias": 3.0}
    size = estimate(0.01, 0.05, role="robustness") | {"target": "log_cohort_size"}
    frame = pd.DataFrame([row, size])[[*ATTRIBUTION_COLUMNS, "largest_share"]]
    return released(frame, "attribution", ATTRIBUTION_COLUMNS, gate="estimates")


def evidence(statement="inconclusive", decided_by=""):
    rules = [
        ("pretrend", "pass", 0.6, 0.05),
        ("drift", "for information", 0.2, 0.3),
        ("composition", "pass", 0.4, 0.05),
        ("chosen_by", "pass", float("nan"), float("nan")),
    ]
    frame = pd.DataFrame(rules, columns=["rule", "verdict", "value", "limit"])
    frame["verdict"] = frame["verdict"].where(frame["rule"].ne(decided_by), "fail")
    confidence = "none" if statement in ("inconclusive", "not_attributable") else "moderate"
    frame = frame.assign(statement=statement, confidence=confidence, decided_by=decided_by)
    return released(frame, "evidence", tuple(frame), gate="facts")


def write(folder: Path, *, number=0, value=-1.5, said=None, tables=None) -> Path:
    """Write one authority's bundle."""
    path = folder / f"bundle-{number}.zip"
    given = {"impact": impact(value), "attribution": attribution(), "evidence": evidence()}
    write_bundle(path, said or about(number), **given | (tables or {}))
    return path


def write_three(folder: Path) -> list[Path]:
    """Write the bundles of three authorities, the last of which is left out of the pool."""
    out = {"evidence": evidence("not_attributable", "pretrend")}
    return [
        write(folder, number=0, value=-1.2),
        write(folder, number=1, value=-2.1),
        write(folder, number=2, value=-0.4, tables=out),
    ]
