"""The question of impact put to several authorities together, from their bundles."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from vsh_eval import registry
from vsh_eval.contracts import Message, produces
from vsh_eval.effects import evidence, pooling
from vsh_eval.pipeline.questions.results import answer_figures, keep_summary, plan_year
from vsh_eval.pipeline.records.exchange import read_folder
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.disclosure import SafeTable
from vsh_eval.release.files.exchange import Bundle
from vsh_eval.release.files.results import write_results
from vsh_eval.release.pages.report import KeyFigure
from vsh_eval.release.text.findings import evidence as sentences_of_evidence
from vsh_eval.release.text.findings import reasons
from vsh_eval.release.text.findings.evidence import rules_in_words
from vsh_eval.release.text.findings.subgroups import part_name
from vsh_eval.release.text.pages import answer
from vsh_eval.release.text.pages import pooling as text
from vsh_eval.release.text.safe_text import SafeText
from vsh_eval.settings import Settings

AUTHORITY_COLUMNS = (
    *("name", "new_la_code", "statement", "confidence", "decided_by", "pooled", "chosen_by"),
    *("registered", "schools_treated", "schools_comparison", "pupil_years", "software"),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """Several authorities' estimates, and which of them are pooled.

    Attributes
    ----------
    settings : Settings
        Of the run: the definitions that all bundles share.
    bundles : tuple of Bundle
        In the order of the authorities' names.
    given : DataFrame
        name and `pooling.GIVEN_COLUMNS`.
    """

    settings: Settings
    bundles: tuple[Bundle, ...]
    given: pd.DataFrame

    @property
    def included(self) -> tuple[Bundle, ...]:
        """The authorities that are pooled."""
        return tuple(bundle for bundle in self.bundles if not _left_out_by(bundle))

    @property
    def names(self) -> frozenset[str]:
        """The names of the authorities included."""
        return frozenset(bundle.about.authority.name for bundle in self.included)

    @property
    def reason(self) -> Message:
        """Why there is no pool; none where there is one."""
        if len(self.included) >= pooling.LEAST:
            return Message()
        return Message("too_few_authorities", authorities=len(self.included), least=pooling.LEAST)

    @produces("pooled", (*pooling.POOLED_COLUMNS, "subgroup", "part"), gate="published")
    def estimates(self) -> pd.DataFrame:
        """Return every estimate, the authorities' own and the pooled ones."""
        table = pooling.pooled(self.given, self.names)
        groups = {
            pooling.GROUP_LEVEL: self.settings.cohort.group,
            pooling.REFERENCE_LEVEL: self.settings.cohort.reference,
        }
        level = table["target"].map(groups)
        parts = [part_name("group", str(group)) if pd.notna(group) else "" for group in level]
        return table.assign(subgroup=["own_level" if part else "" for part in parts], part=parts)

    @produces("authorities", AUTHORITY_COLUMNS, gate="published")
    def authorities(self) -> pd.DataFrame:
        """Say whose results these are, one row an authority, and which are pooled."""
        overall = self.given[self.given["target"].eq(pooling.GAP)]
        overall = overall[overall["role"].eq("primary") & overall["aggregation"].eq("simple")]
        counts = overall.set_index("name")[list(pooling.COUNTS)].astype("Int64")
        counts = counts.rename(columns={"pupils": "pupil_years"})
        rows = [self._authority(bundle) for bundle in self.bundles]
        table = pd.DataFrame(rows).join(counts, on="name").assign(status="")
        return text.authorities_in_words(table)

    def _authority(self, bundle: Bundle) -> dict[str, Any]:
        about, judged, out = bundle.about, bundle.about.evidence, _left_out_by(bundle)
        return {
            "name": about.authority.name,
            "new_la_code": about.authority.code,
            "statement": judged.statement,
            "confidence": judged.confidence,
            "decided_by": out if out in pooling.LEAVE_OUT else judged.decided_by,
            "pooled": out or "included",
            "chosen_by": about.registration.chosen_by,
            "registered": about.registration.status,
            "software": about.software,
        }

    @produces("power", pooling.POWER_COLUMNS, gate="facts")
    def power(self) -> pd.DataFrame:
        """Return which effects the pool detects, and how many more authorities would see others."""
        return pooling.pool_power(self.given, self.names, sesoi=self.settings.protocol.sesoi)

    @produces("evidence", evidence.EVIDENCE_COLUMNS, gate="facts")
    def rules(self) -> pd.DataFrame:
        """Return each rule of the pool's evidence statement with its verdict."""
        protocol = self.settings.protocol
        about = [bundle.about for bundle in self.included]
        verdict = pooling.judge(
            self.estimates(),
            sesoi=protocol.sesoi,
            lower_is_better=registry.metric(protocol.primary).lower_is_better,
            chosen_by={one.registration.chosen_by for one in about},
            registered=[one.registration.in_time for one in about],
        )
        return rules_in_words(verdict.table())


def ask_pool(run: Run) -> Pool:
    """Put the question of impact to the bundles of a run.

    Raises
    ------
    ContractError
        If a bundle is refused, or they cannot be pooled.
    """
    bundles = read_folder(run.settings.source.folder)
    rows = [
        {"name": bundle.about.authority.name, **estimate.model_dump()}
        for bundle in bundles
        for estimate in bundle.estimates
    ]
    given = pd.DataFrame(rows, columns=["name", *pooling.GIVEN_COLUMNS])
    return Pool(run.settings, bundles, given)


def _left_out_by(bundle: Bundle) -> str:
    judged = bundle.about.evidence
    return pooling.left_out_by(judged.statement, {one.rule: one.verdict for one in judged.rules})


def publish(run: Run, pool: Pool, *, pooled: SafeTable, rules: SafeTable, power: SafeTable) -> None:
    """Write results.json and keep the summary for the report's first page.

    Parameters
    ----------
    run : Run
        The run.
    pool : Pool
        From `ask_pool`.
    pooled, rules, power : SafeTable
        Its released tables.
    """
    metric, cohort = run.settings.protocol.primary, run.settings.cohort
    within = pooled.where(variant=pooling.INCLUDED)
    first = within.where(role="primary", aggregation="simple")
    write_results(
        run.released / "results.json",
        headline=first if len(first.frame) else None,
        evidence=rules,
        protocol={"primary": metric, "secondary": ", ".join(run.settings.protocol.secondary)},
        run={
            "name": run.settings.name,
            "authority": run.settings.authority.name,
            "source": run.settings.source.kind,
            "cohort_rule": cohort.rule,
        },
    )
    question = answer.Question(metric, cohort.group, cohort.reference, run.settings.protocol.sesoi)
    gap = within.where(target=[pooling.GAP, pooling.GROUP_LEVEL, pooling.REFERENCE_LEVEL])
    sentences: list[SafeText] = [
        answer.answer_sentence(rules, gap, None, question=question),
        sentences_of_evidence.evidence_sentence(rules),
    ]
    figures: tuple[KeyFigure, ...] = ()
    if not pool.reason:
        sentences += [
            answer.estimates_sentence(gap, metric=metric),
            text.between_sentence(within, metric=metric),
            text.power_sentence(power, metric=metric),
        ]
        figures = answer_figures(rules, within, power, metric=metric)
    else:
        sentences.append(reasons.no_estimate(pool.reason))
    sentences.append(sentences_of_evidence.confidence_sentence(rules))
    decided = answer.decision_sentences(
        rules, None, None, None, question=question, plan="not_registered", plan_year=plan_year(run)
    )
    keep_summary(run, [one for one in sentences if one], figures, decided)
