"""What a run puts on record: results.json, and what the report's first page says."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.effects.evidence import ESTABLISHED
from vsh_eval.pipeline.records.protocol import current_day
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.disclosure import SafeTable, join
from vsh_eval.release.figures import Figure, draw_trained_and_untrained
from vsh_eval.release.files.results import write_results
from vsh_eval.release.pages.key_figures import (
    change_figure,
    effect_figure,
    gap_figures,
    power_figure,
    reach_figure,
)
from vsh_eval.release.pages.report import KeyFigure, Summary
from vsh_eval.release.pages.show import figure_html
from vsh_eval.release.rows import last_year
from vsh_eval.release.text.findings import evidence
from vsh_eval.release.text.pages import annual_report, answer, gaps, offer
from vsh_eval.release.text.pages.authority import authority_sentence
from vsh_eval.release.text.pages.cohort import moves_sentence
from vsh_eval.release.text.pages.design import caution_sentence, protocol_sentences
from vsh_eval.release.text.pages.impact import exaggeration_sentence
from vsh_eval.release.text.pages.page import no_results_sentence
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.fixed import phrase
from vsh_eval.release.text.safe_text import SafeText

_FRONT = ("persistent_absence", "ks2_rwm_expected", "ks4_attainment8")
_SUMMARY = ("part", "label", "text", "detail")


def publish(run: Run, *, own: SafeTable, changes: SafeTable, chart: Figure | None = None) -> None:
    """Write results.json and keep the summary for the report's first page.

    Parameters
    ----------
    run : Run
        The run, after the notebooks that publish evidence, impact, power and reach.
    own, changes : SafeTable
        The authority's gaps and their changes since the baseline.
    chart : Figure, optional
        The one chart of the first page.
    """
    primary = run.settings.protocol.primary
    headline = _effect(run) if run.has_published("impact") else _last_gap(own, primary)
    write_results(
        run.released / "results.json",
        headline=headline,
        evidence=run.published_table("evidence"),
        levels=run.published_table("levels"),
        gaps=own,
        protocol=_protocol(run),
        run={
            "name": run.settings.name,
            "authority": run.settings.authority.name,
            "authority_code": run.settings.authority.code,
            "source": run.settings.source.kind,
            "cohort_rule": run.settings.cohort.rule,
        },
    )
    first, *further = _answer(run)
    sentences = (first, *_in_the_authority(run, own, changes), *further)
    keep_summary(run, sentences, _tiles(run, own, changes), decisions(run), chart)


def estimates(run: Run) -> SafeTable:
    """Return the effect on the primary outcome by the primary estimator and by ``same_past``."""
    second = {"metric": run.settings.protocol.primary, "estimator": "same_past"}
    impact = run.published_table("impact").where(aggregation="simple", **second)
    return join(_effect(run), impact)


def priorities(run: Run, changes: SafeTable) -> tuple[SafeText, ...]:
    """Say what comes first next year."""
    reach = run.published_table("reach") if run.has_published("reach") else None
    last = run.settings.years.last if reach is None else last_year(reach)
    latest = last_changes(run, changes).where(metric=list(reported(run, changes)))
    return annual_report.priority_sentences(latest, reach, year=last)


def last_changes(run: Run, changes: SafeTable) -> SafeTable:
    """Return each measure's last change since the baseline, all phases together."""
    later = [year for year in run.settings.years.all() if year > run.settings.years.baseline]
    return changes.where(phase=names.TOTAL, time_period=later).latest("metric")


def reported(run: Run, safe: SafeTable) -> tuple[str, ...]:
    """Return the measures of the annual report that a table holds, the primary outcome first."""
    return held(safe, (run.settings.protocol.primary, *_FRONT))


def committee(run: Run, own: SafeTable) -> SafeText:
    """Put the answer into one paragraph for a committee paper."""
    primary = run.settings.protocol.primary
    wide, reached, sure, by_lot = "", "", "", False
    if held(own, (primary,)):
        year = last_year(own, metric=primary, phase=names.TOTAL)
        wide = gaps.gap_sentence(own, metric=primary, year=year)
    if run.has_published("reach"):
        reach = run.published_table("reach")
        reached = offer.reach_sentence(reach, year=last_year(reach))
    of_schools, answers = run.settings.source.kind != "published", _answer(run)
    if of_schools:
        rules = run.published_table("evidence")
        sure = evidence.confidence_sentence(rules)
        by_lot = not rules.where(rule="chosen_by", verdict="pass").frame.empty
    return annual_report.committee_paragraph(
        authority=run.settings.authority.name if of_schools else "",
        gap=wide,
        reach=reached,
        answer=answers[:1] if of_schools else answers,
        confidence=sure,
        by_lot=by_lot,
    )


def chart(run: Run) -> Figure | None:
    """Draw the chart of the first page: the gap in trained and in untrained schools."""
    if not run.has_published("gaps_by_arm"):
        return None
    arms = run.published_table("gaps_by_arm")
    drawn = draw_trained_and_untrained(arms, metric=run.settings.protocol.primary)
    return replace(drawn, alt=drawn.alt.replace(charts.MORE_IN_TABLE, charts.MORE_ON_IMPACT))


def _answer(run: Run) -> tuple[SafeText, ...]:
    """Say what is known of the training's part in it, the answer in one sentence first."""
    rules, protocol = run.published_table("evidence"), run.settings.protocol
    if not run.has_published("impact"):
        return (phrase("effect_not_asked"),)
    impact = run.published_table("impact")
    if run.settings.source.kind == "published":
        text = authority_sentence(
            impact,
            metric=protocol.primary,
            authority=run.settings.authority.name,
            offer_start=run.settings.published.offer_start or 0,
        )
        return text, phrase("illustrative"), phrase("national_duty")
    statement = answer.statement_of(rules)
    answers = (
        answer.answer_sentence(rules, impact, _sessions(run), question=question_of(run)),
        *(() if statement == "not_estimable" else (evidence.evidence_sentence(rules),)),
        evidence.no_estimate_sentence(_effect(run)),
        answer.estimates_sentence(impact, metric=protocol.primary, evidence=rules),
    )
    power = run.published_table("power")
    if statement == "inconclusive":
        answers = (*answers, evidence.ruled_out_sentence(impact, metric=protocol.primary))
    if statement in ESTABLISHED:
        answers = (*answers, exaggeration_sentence(power, metric=protocol.primary))
    return tuple(
        filter(
            None,
            (
                *answers,
                evidence.confidence_sentence(rules),
                caution_sentence(power),
                protocol_sentences(run.standing.sentences)[0],
            ),
        )
    )


def question_of(run: Run) -> answer.Question:
    """Return what the answer of a run is about."""
    cohort, protocol = run.settings.cohort, run.settings.protocol
    return answer.Question(protocol.primary, cohort.group, cohort.reference, protocol.sesoi)


def decisions(run: Run) -> tuple[SafeText, ...]:
    """Say what to decide now, by fixed rules."""
    if run.settings.source.kind == "published":
        return answer.published_decisions()
    power, findings, needs, equity = (
        run.published_table(name) if run.has_published(name) else None
        for name in ("power", "findings", "reach_deprivation", "equity")
    )
    if needs is not None:
        last = {"time_period": last_year(needs)}
        needs = needs.where(phase=names.TOTAL, **last)
        index = (
            None if equity is None else equity.where(need="deprivation", counted="pupils", **last)
        )
        if index is None or not (index.frame["evenness_upper"] < 0).any():
            needs = None
    return answer.decision_sentences(
        run.published_table("evidence"),
        power,
        findings,
        needs,
        question=question_of(run),
        plan=run.standing.plan,
        plan_year=plan_year(run),
    )


def plan_year(run: Run) -> int:
    """Return the first academic year after the data that has not ended yet."""
    following = academic_year.after(run.settings.years.last)
    return max(following, academic_year.of_date(current_day()))


def _in_the_authority(run: Run, own: SafeTable, changes: SafeTable) -> tuple[SafeText, ...]:
    """Say what happened to the gap in the authority as a whole, and to the number of children."""
    metric, group = run.settings.protocol.primary, run.settings.cohort.group
    if metric not in held(changes, (metric,)):
        return ()
    rows = changes.where(metric=metric, phase=names.TOTAL)
    year = last_year(rows)
    if rows.where(baseline=year).frame.size:  # no year after the baseline
        return ()
    moved = moves_sentence(own, metric=metric, group=group)
    about = {"metric": metric, "year": year}
    changed = gaps.change_sentence(rows, together=run.has_published("gaps_by_arm"), **about)
    return (changed, *([moved] if moved else []))


def _sessions(run: Run) -> SafeTable | None:
    """Return the possible sessions of a child in the last year, None where none are counted."""
    if not run.has_published("attendance_days"):
        return None
    rows = run.published_table("attendance_days").where(
        unit_id=run.settings.authority.code, metric=run.settings.protocol.primary, phase=names.TOTAL
    )
    return rows.where(time_period=last_year(rows)) if len(rows.frame) else None


def _tiles(run: Run, own: SafeTable, changes: SafeTable) -> tuple[KeyFigure, ...]:
    """Return the numbers shown large: gap, change, reach, and the effect where it is one."""
    primary = run.settings.protocol.primary
    if run.settings.source.kind == "published":
        return (*gap_figures(own, metrics=reported(run, own), phase=names.TOTAL),)
    key_figures = (*gap_figures(own, metrics=held(own, (primary,)), phase=names.TOTAL),)
    if held(changes, (primary,)):
        key_figures += change_figure(changes, metric=primary, phase=names.TOTAL)
    if run.has_published("reach"):
        reach = run.published_table("reach")
        key_figures += reach_figure(reach, year=last_year(reach))
    rules, power = (run.published_table(name) for name in ("evidence", "power"))
    return key_figures + answer_figures(rules, _effect(run), power, metric=primary)


def answer_figures(
    rules: SafeTable, impact: SafeTable, power: SafeTable, *, metric: str
) -> tuple[KeyFigure, ...]:
    """Return the effect where it is one, else the smallest that could have been detected."""
    if answer.statement_of(rules) in ESTABLISHED:
        return effect_figure(impact, metric=metric)
    return power_figure(power, metric=metric)


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
    requested = dict.fromkeys(metrics)
    return no_results_sentence([name for name in requested if name not in held(safe, requested)])


def summary_of(table: pd.DataFrame) -> Summary:
    """Read the kept summary back for the first page."""
    parts = {part: table[table["part"] == part] for part in table["part"].unique()}
    nothing = table.iloc[:0]
    text = parts["sentence"]["text"].tolist()
    # The headline is one sentence; what the answer says beyond it comes first below.
    first, stop, rest = text[0].partition(". ")
    return Summary(
        answer=f"{first}{stop}".strip(),
        sentences=(*([rest] if rest else []), *text[1:]),
        chart="".join(parts.get("chart", nothing)["text"]),
        key_figures=tuple(
            KeyFigure(*(str(value) for value in row))
            for row in parts.get("figure", nothing)[["label", "text", "detail"]].to_numpy()
        ),
        decisions=tuple(answer.halves(text) for text in parts.get("decision", nothing)["text"]),
    )


def keep_summary(
    run: Run,
    sentences: Sequence[str],
    figures: Sequence[KeyFigure],
    decided: Sequence[str],
    chart: Figure | None = None,
) -> None:
    """Keep what the report's first page says, the answer first."""
    rows = [("sentence", "", sentence, "") for sentence in sentences]
    rows += [("figure", figure.label, figure.value, figure.detail) for figure in figures]
    rows += [("decision", "", decision, "") for decision in decided]
    if chart is not None:
        rows += [("chart", "", figure_html(chart), "")]
    run.save("summary", pd.DataFrame(rows, columns=list(_SUMMARY)))


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
        "before_data": standing.plan == "registered",
        "exploratory": standing.exploratory,
        "date": standing.date or None,
        "sha256": standing.sha256 or None,
        "deviations": standing.deviations["key"].str.cat(sep=", "),
        "primary": protocol.primary,
        "secondary": ", ".join(protocol.secondary),
        "chosen_by": protocol.chosen_by,
        "comparison": protocol.comparison,
        "exposure_rule": run.settings.exposure.rule,
    }
