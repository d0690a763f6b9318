"""The question of impact as published tables can bear it: one authority's offer against others'."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import metrics, registry
from vsh_eval.contracts import InfeasibleError, Message, produces
from vsh_eval.effects import evidence, published, rows
from vsh_eval.effects.estimators import adjust
from vsh_eval.effects.published import Synthetic
from vsh_eval.pipeline.questions.impact import once
from vsh_eval.pipeline.workspace import Run, open_published
from vsh_eval.release.text.findings import reasons
from vsh_eval.release.text.findings.evidence import rules_in_words
from vsh_eval.release.text.phrases.labels import upper_first
from vsh_eval.settings import Settings

DONOR_COLUMNS = ("name", "weight", "status")
ESTIMATE_COLUMNS = (*rows.RELEASED_COLUMNS, *published.EXTRA_COLUMNS, "protocol")


@dataclass(frozen=True, slots=True)
class Offer:
    """One authority's offer, and the authorities it is read against.

    Attributes
    ----------
    settings : Settings
        The run's.
    gaps : DataFrame
        Every authority's published gaps.
    areas, neighbours : DataFrame
        From the published files.
    reason : Message
        Why the effect is not asked; none where it is.
    mark : str
        How the run stands to its registration.
    plan : str
        How the run stands to its registration, as `evidence.Checks` asks.
    made : dict
        What has been estimated already.
    """

    settings: Settings
    gaps: pd.DataFrame
    areas: pd.DataFrame
    neighbours: pd.DataFrame
    reason: Message
    mark: str = ""
    plan: str = "not_registered"
    made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def start(self) -> int:
        """The first academic year of the offer.

        Raises
        ------
        InfeasibleError
            If the params do not name it.
        """
        start = self.settings.published.offer_start
        if start is None:
            raise InfeasibleError(self.reason.code)
        return start

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes, the primary first."""
        return (self.settings.protocol.primary, *self.settings.protocol.secondary)

    @produces("estimates", ESTIMATE_COLUMNS, gate="published")
    @once
    def estimates(self) -> pd.DataFrame:
        """Estimate what the offer changed, every outcome with every pool of donors.

        Returns
        -------
        DataFrame
            As `published.authority_estimates`, secondary outcomes adjusted (Holm), with words.

        Raises
        ------
        InfeasibleError
            If the offer's start is not named.
        """
        comparisons = published.authority_estimates(
            self.gaps,
            self.areas,
            self.neighbours,
            authority=self.settings.authority.code,
            offer_start=self.start,
            metrics=self.outcomes,
            donors=self.settings.published.donors,
        )
        return reasons.in_words(adjust(comparisons), "reason")

    @once
    def fitted(self) -> Synthetic:
        """Set the authority against the donors that carry the primary estimate.

        Raises
        ------
        InfeasibleError
            If the years or the donors cannot bear it, or the offer's start is not named.
        """
        pool = self.settings.published.donors
        return published.fit_synthetic(
            published.authority_panel(self.gaps, metric=self.outcomes[0]),
            published.donor_pools(self.areas, self.neighbours, donors=pool),
            unit=self.settings.authority.code,
            start=self.start,
        )

    @produces("trajectory", published.TRAJECTORY_COLUMNS, gate="published")
    def trajectory(self) -> pd.DataFrame:
        """Tabulate the authority and its weighted donors over the years."""
        return published.authority_trajectory(
            self.fitted(), metric=self.outcomes[0], comparison=self.settings.published.donors
        )

    @produces("donor_weights", DONOR_COLUMNS, gate="published")
    def donor_weights(self) -> pd.DataFrame:
        """Name the donors with their weights, the heaviest first."""
        known = self.areas.set_index("unit_id")["name"]
        fitted = self.fitted()
        rows = fitted.weights.assign(name=fitted.weights["unit"].map(known), status="")
        return rows[list(DONOR_COLUMNS)].sort_values("weight", ascending=False)

    @once
    def judged(self) -> evidence.Evidence:
        """Judge the primary estimate by the same rules as schools'; most are not testable here."""
        protocol, estimates = self.settings.protocol, self.estimates()
        first = estimates["role"].eq("primary") & estimates["aggregation"].eq("simple")
        row = estimates[first].iloc[0]
        verdict = evidence.judge(
            estimates,
            sesoi=protocol.sesoi,
            lower_is_better=registry.metric(protocol.primary).lower_is_better,
            checks=evidence.Checks(
                plan=self.plan,
                chosen_by=protocol.chosen_by,
                randomisation_p=float(row["p_value"]),
                mde=float(row["mde"]),
            ),
        )
        rank = verdict.rules["rule"].eq("randomisation")
        worded = [
            Message("share_as_far") if by_rank else reason
            for by_rank, reason in zip(rank, verdict.rules["reason"], strict=True)
        ]
        return replace(verdict, rules=verdict.rules.assign(reason=pd.Series(worded, dtype=object)))

    @produces("evidence", evidence.EVIDENCE_COLUMNS, gate="facts")
    def rules(self) -> pd.DataFrame:
        """Return each rule of the evidence statement with its verdict."""
        return rules_in_words(self.judged().table())

    @produces("power", ("metric", "mde"), gate="facts")
    def least_detectable(self) -> pd.DataFrame:
        """Return the smallest effect that these tables would detect; NaN where none is asked."""
        primary = self.settings.protocol.primary
        if self.reason:
            return pd.DataFrame({"metric": [primary], "mde": [np.nan]})
        comparisons = self.estimates()
        first = comparisons["role"].eq("primary") & comparisons["aggregation"].eq("simple")
        return comparisons.loc[first, ["metric", "mde"]]


def ask_offer(run: Run) -> Offer:
    """Put the question of an authority's offer to a run of published tables.

    Parameters
    ----------
    run : Run
        A run of published tables whose panel is there.

    Returns
    -------
    Offer

    Raises
    ------
    ContractError
        If the files do not hold the authority.
    """
    settings = run.settings
    files = open_published(run)
    panel = run.load("panel")
    panel = panel[~panel["time_period"].isin(settings.protocol.exclusions)]
    outcomes = (settings.protocol.primary, *settings.protocol.secondary)
    gaps = metrics.gaps(panel, run.comparison(metrics=outcomes, baseline=None))
    missing = settings.published.offer_start is None
    reason = Message("offer_start_missing") if missing else Message()
    marks = run.standing.mark, run.standing.plan
    return Offer(settings, gaps, files.areas, files.neighbours, reason, *marks)


@produces("evidence", evidence.EVIDENCE_COLUMNS, gate="facts")
def not_asked() -> pd.DataFrame:
    """Return the evidence of a run that is not asked for an effect: one rule, not testable."""
    return pd.DataFrame(
        {
            "statement": [evidence.NOT_ESTIMABLE],
            "confidence": [evidence.NONE],
            "decided_by": [""],
            "rule": ["effect"],
            "verdict": ["not testable"],
            "value": [np.nan],
            "limit": [np.nan],
            "reason": [upper_first(reasons.sentence(Message("offer_not_started")))],
        }
    )
