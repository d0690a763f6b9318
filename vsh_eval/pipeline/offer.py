"""The question of impact as published tables can bear it: one authority's offer against others'."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vsh_eval import effects, metrics, registry
from vsh_eval.contracts import DesignError
from vsh_eval.effects.synthetic_did import Synthetic
from vsh_eval.pipeline.workspace import Run, open_published
from vsh_eval.settings import Settings

NOT_ASKED = "not asked"
_NO_START = (
    "the params do not name published.offer_start, must name the first academic year of this "
    "authority's offer; no public list says it."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One authority's offer, and the authorities it is read against.

    Attributes
    ----------
    settings : Settings
        The run's.
    gaps : DataFrame
        Every authority's published gaps, with the range of what is suppressed.
    areas, neighbours : DataFrame
        From the published files.
    reason : str
        Why the effect is not asked, '' where it is.
    """

    settings: Settings
    gaps: pd.DataFrame
    areas: pd.DataFrame
    neighbours: pd.DataFrame
    reason: str

    @property
    def start(self) -> int:
        """The first academic year of the offer.

        Raises
        ------
        DesignError
            If the params do not name it.
        """
        start = self.settings.published.offer_start
        if start is None:
            raise DesignError(self.reason)
        return start

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes, the primary first."""
        return (self.settings.protocol.primary, *self.settings.protocol.secondary)

    def estimates(self) -> pd.DataFrame:
        """Estimate what the offer changed, every outcome with every pool of donors.

        Returns
        -------
        DataFrame
            As `effects.authority_estimates`, secondary outcomes adjusted (Holm).

        Raises
        ------
        DesignError
            If the offer's start is not named.
        """
        found = effects.authority_estimates(
            self.gaps,
            self.areas,
            self.neighbours,
            authority=self.settings.authority.code,
            offer_start=self.start,
            metrics=self.outcomes,
            donors=self.settings.published.donors,
            alpha=self.settings.protocol.alpha,
        )
        adjusted = effects.adjust(found.assign(estimator="imputation"))
        return found.assign(p_adjusted=adjusted["p_adjusted"])

    def fitted(self) -> Synthetic:
        """Set the authority against the mixture that carries the primary estimate.

        Raises
        ------
        DesignError
            If the years or the donors cannot bear it, or the offer's start is not named.
        """
        published = self.settings.published
        return effects.fit_authority(
            effects.authority_panel(self.gaps, metric=self.outcomes[0]),
            effects.donor_pools(self.areas, self.neighbours, donors=published.donors),
            authority=self.settings.authority.code,
            offer_start=self.start,
            alpha=self.settings.protocol.alpha,
        )

    def course(self, fitted: Synthetic) -> pd.DataFrame:
        """Tabulate the authority and the mixture over the years."""
        return effects.authority_course(
            fitted, metric=self.outcomes[0], comparison=self.settings.published.donors
        )

    def mixture(self, fitted: Synthetic) -> pd.DataFrame:
        """Name the authorities of the mixture with their weights, the heaviest first."""
        known = self.areas.set_index("unit_id")["name"]
        rows = fitted.weights.assign(name=fitted.weights["unit"].map(known), status="")
        return rows[["name", "weight", "status"]].sort_values("weight", ascending=False)

    def judged(self, estimates: pd.DataFrame, *, registered: bool | None) -> effects.Evidence:
        """Judge the primary estimate by the same rules as schools'; most are not testable here."""
        protocol = self.settings.protocol
        rows = estimates["role"].eq("primary") & estimates["aggregation"].eq("simple")
        found = effects.evidence(
            estimates,
            pretrend=None,
            mde=float(estimates.loc[rows, "mde"].iloc[0]),
            sesoi=protocol.sesoi,
            alpha=protocol.alpha,
            lower_is_better=registry.metric(protocol.primary).lower_is_better,
            checks=effects.Checks(
                registered=registered,
                randomisation_p=float(estimates.loc[rows, "p_value"].iloc[0]),
            ),
        )
        rank = found.rules["rule"].eq("randomisation")
        chance = "share of authorities of about its size that come as far"
        reasons = found.rules["reason"].mask(rank, chance)
        return replace(found, rules=found.rules.assign(reason=reasons))


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
    found = open_published(run)
    panel = run.load("panel")
    panel = panel[~panel["time_period"].isin(settings.protocol.exclusions)]
    outcomes = [settings.protocol.primary, *settings.protocol.secondary]
    gaps = metrics.gaps(
        panel, group=settings.cohort.group, reference=settings.cohort.reference, metrics=outcomes
    )
    gaps = effects.with_suppressed_values(gaps, panel, found.areas)
    reason = _NO_START if settings.published.offer_start is None else ""
    return Offer(settings, gaps, found.areas, found.neighbours, reason)


def not_asked() -> pd.DataFrame:
    """Return the evidence of a run that is not asked for an effect: one rule, not testable."""
    return pd.DataFrame(
        {
            "rule": ["effect"],
            "verdict": ["not testable"],
            "value": [np.nan],
            "limit": [np.nan],
            "reason": ["The params do not say when this authority's offer began."],
            "statement": [NOT_ASKED],
        }
    )
