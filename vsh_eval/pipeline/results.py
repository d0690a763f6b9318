"""What a run puts on record: results.json, and what the report's first page says."""

from collections.abc import Iterable, Sequence

import pandas as pd

from vsh_eval import effects, names, release
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.text.labels import metric_in_text
from vsh_eval.release.text.phrases import listed

_FRONT = ("persistent_absence", "ks2_rwm_expected", "ks4_attainment8")
_SUMMARY = ("part", "label", "text", "detail")


def publish(run: Run, *, statement: str, sentences: Sequence[str], own: release.SafeTable) -> None:
    """Write results.json and keep the summary for the report's first page.

    Parameters
    ----------
    run : Run
        The run.
    statement : str
        The evidence statement.
    sentences : sequence of str
        What the first page says, the most important first.
    own : SafeTable
        The authority's gaps.
    """
    primary = run.settings.protocol.primary
    asked = run.has_published("impact")
    headline = _effect(run) if asked else _last_gap(own, primary)
    evidence = run.published_table("evidence") if asked else _not_asked(run)
    release.write_results(
        run.released / "results.json",
        headline=headline,
        evidence=evidence,
        levels=run.published_table("levels"),
        gaps=own,
        statement=statement,
        protocol=_protocol(run),
        run={
            "name": run.settings.name,
            "authority": run.settings.authority.name,
            "authority_code": run.settings.authority.code,
            "source": run.settings.source.kind,
            "cohort_rule": run.settings.cohort.rule,
        },
    )
    figures = release.gap_figures(own, metrics=held(own, (primary, *_FRONT)), phase=names.TOTAL)
    if asked:
        figures = (*release.effect_figure(headline, metric=primary), *figures)
    run.save("summary", _summary(sentences, figures))


def of_training(run: Run) -> tuple[str, tuple[str, ...]]:
    """Say what is known of the training's part in it, from what the notebooks before have found.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    tuple of str and tuple of str
        The evidence statement, and the sentences of the report, the most important first.
    """
    protocol, published = run.settings.protocol, run.settings.published
    statement = str(run.load("evidence")["statement"].iloc[0])
    if not run.has_published("impact"):
        return statement, (
            "DfE's tables do not say which schools were trained, and the params do not say when "
            "this authority's offer began: its effect is not asked.",
        )
    impact = run.published_table("impact")
    first = release.protocol_sentences(run.standing.sentences)[0]
    if run.settings.source.kind == "published":
        said = release.authority_sentence(
            impact,
            metric=protocol.primary,
            authority=run.settings.authority.name,
            offer_start=published.offer_start or 0,
        )
        return statement, (said, release.ILLUSTRATIVE, effects.NATIONAL_DUTY, first)
    power = run.load("power")
    seen = run.protect(power, kind="facts")
    checks = run.protect(run.load("robustness"), kind="estimates")
    said = release.mde_sentence(seen, metric=protocol.primary, sesoi=protocol.sesoi)
    return statement, (
        release.evidence_sentence(statement),
        *([said] if power["mde"].notna().all() else []),
        *(power["caution"] if "caution" in power and power["caution"].any() else []),
        release.estimate_sentence(impact, metric=protocol.primary),
        release.mind_headline(checks, alpha=protocol.alpha),
        "Schools were not drawn by lot, so another cause cannot be ruled out.",
        first,
    )


def held(safe: release.SafeTable, metrics: Iterable[str]) -> tuple[str, ...]:
    """Return those of the metrics that a table has rows of, each once, in order."""
    known = set(safe.frame["metric"])
    return tuple(name for name in dict.fromkeys(metrics) if name in known)


def absent(safe: release.SafeTable, metrics: Iterable[str]) -> str:
    """Say which of the metrics a table has no row of, '' where it has all.

    Parameters
    ----------
    safe : SafeTable
        A table with ``metric``.
    metrics : iterable of str
        What a page shows.

    Returns
    -------
    str
        One sentence.
    """
    asked = dict.fromkeys(metrics)
    lacking = [metric_in_text(name) for name in asked if name not in held(safe, asked)]
    return f"The data hold no results for {listed(lacking)}." if lacking else ""


def summary_of(table: pd.DataFrame) -> release.Summary:
    """Read the kept summary back for the first page."""
    said = table.loc[table["part"] == "sentence", "text"].tolist()
    figures = table[table["part"] == "figure"]
    return release.Summary(
        statement=said[0],
        sentences=tuple(said[1:]),
        key_figures=tuple(
            release.KeyFigure(*(str(part) for part in row))
            for row in figures[["label", "text", "detail"]].to_numpy()
        ),
    )


def _summary(sentences: Sequence[str], figures: Sequence[release.KeyFigure]) -> pd.DataFrame:
    rows = [("sentence", "", sentence, "") for sentence in sentences]
    rows += [("figure", figure.label, figure.value, figure.detail) for figure in figures]
    return pd.DataFrame(rows, columns=list(_SUMMARY))


def _effect(run: Run) -> release.SafeTable:
    impact = run.published_table("impact")
    return impact.where(
        role="primary", aggregation="simple", estimator=["imputation", "synthetic_did"]
    )


def _last_gap(own: release.SafeTable, metric: str) -> release.SafeTable:
    year = release.last_year(own, metric=metric, phase=names.TOTAL)
    return own.where(metric=metric, phase=names.TOTAL, time_period=year)


def _not_asked(run: Run) -> release.SafeTable:
    reason = "Published tables do not say which schools were trained."
    rule = pd.DataFrame({"rule": ["effect"], "verdict": ["not testable"], "reason": [reason]})
    return run.protect(rule, kind="facts")


def _protocol(run: Run) -> dict[str, str | bool | None]:
    protocol, standing = run.settings.protocol, run.standing
    return {
        "status": standing.status,
        "registered": standing.registered is True,
        "exploratory": standing.exploratory,
        "date": standing.date or None,
        "sha256": standing.sha256 or None,
        "deviations": standing.deviations["key"].str.cat(sep=", "),
        "primary": protocol.primary,
        "secondary": ", ".join(protocol.secondary),
        "comparison": protocol.comparison,
        "exposure_rule": run.settings.exposure.rule,
    }
