"""What a run puts on record: results.json, and what the report's first page says."""

from collections.abc import Iterable, Sequence

import pandas as pd

from vsh_eval import names
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.disclosure import SafeTable
from vsh_eval.release.files.results import write_results
from vsh_eval.release.pages.key_figures import effect_figure, gap_figures
from vsh_eval.release.pages.report import KeyFigure, Summary
from vsh_eval.release.rows import is_shown, last_year, records
from vsh_eval.release.text.authority import authority_sentence
from vsh_eval.release.text.design import caution_sentence, protocol_sentences
from vsh_eval.release.text.evidence import confidence_sentence, evidence_sentence
from vsh_eval.release.text.fixed import phrase
from vsh_eval.release.text.impact import estimate_sentence, mde_sentence
from vsh_eval.release.text.page import no_results_sentence
from vsh_eval.release.text.robustness import mind_headline
from vsh_eval.release.text.safe_text import SafeText

_FRONT = ("persistent_absence", "ks2_rwm_expected", "ks4_attainment8")
_SUMMARY = ("part", "label", "text", "detail")


def publish(run: Run, *, statement: str, sentences: Sequence[str], own: SafeTable) -> None:
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
    evidence = run.published_table("evidence")
    write_results(
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
    figures = gap_figures(own, metrics=held(own, (primary, *_FRONT)), phase=names.TOTAL)
    if asked:
        figures = (*effect_figure(headline, metric=primary), *figures)
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
    evidence = run.published_table("evidence")
    statement = str(evidence.frame["statement"].iloc[0])
    if not run.has_published("impact"):
        return statement, (phrase("effect_not_asked"),)
    impact = run.published_table("impact")
    first = protocol_sentences(run.standing.sentences)[0]
    if run.settings.source.kind == "published":
        text = authority_sentence(
            impact,
            metric=protocol.primary,
            authority=run.settings.authority.name,
            offer_start=published.offer_start or 0,
        )
        return statement, (text, phrase("illustrative"), phrase("national_duty"), first)
    power, checks = run.published_table("power"), run.published_table("robustness")
    least = mde_sentence(power, metric=protocol.primary, sesoi=protocol.sesoi)
    return statement, (
        evidence_sentence(evidence),
        *filter(None, [confidence_sentence(evidence)]),
        *([least] if is_shown(records(power)[0], "mde") else []),
        *filter(None, [caution_sentence(power)]),
        estimate_sentence(impact, metric=protocol.primary),
        mind_headline(checks, alpha=protocol.alpha),
        phrase("not_random"),
        first,
    )


def held(safe: SafeTable, metrics: Iterable[str]) -> tuple[str, ...]:
    """Return those of the metrics that a table has rows of, each once, in order."""
    known = set(safe.frame["metric"])
    return tuple(name for name in dict.fromkeys(metrics) if name in known)


def absent(safe: SafeTable, metrics: Iterable[str]) -> SafeText:
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
    return no_results_sentence([name for name in asked if name not in held(safe, asked)])


def summary_of(table: pd.DataFrame) -> Summary:
    """Read the kept summary back for the first page."""
    text = table.loc[table["part"] == "sentence", "text"].tolist()
    figures = table[table["part"] == "figure"]
    return Summary(
        statement=text[0],
        sentences=tuple(text[1:]),
        key_figures=tuple(
            KeyFigure(*(str(part) for part in row))
            for row in figures[["label", "text", "detail"]].to_numpy()
        ),
    )


def _summary(sentences: Sequence[str], figures: Sequence[KeyFigure]) -> pd.DataFrame:
    rows = [("sentence", "", sentence, "") for sentence in sentences]
    rows += [("figure", figure.label, figure.value, figure.detail) for figure in figures]
    return pd.DataFrame(rows, columns=list(_SUMMARY))


def _effect(run: Run) -> SafeTable:
    impact = run.published_table("impact")
    return impact.where(
        role="primary", aggregation="simple", estimator=["imputation", "synthetic_did"]
    )


def _last_gap(own: SafeTable, metric: str) -> SafeTable:
    year = last_year(own, metric=metric, phase=names.TOTAL)
    return own.where(metric=metric, phase=names.TOTAL, time_period=year)


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
