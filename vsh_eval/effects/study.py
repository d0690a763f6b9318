"""What one evaluation asks, once, for every check that asks it again in another way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError
from vsh_eval.effects.gate import Prepared, adopted_by_school, prepare
from vsh_eval.effects.outcomes import outcome_of, school_levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The question of an evaluation with everything that its checks need.

    Attributes
    ----------
    school_gaps : DataFrame
        The primary outcome's gaps within schools, as `prepare` takes them.
    exposure : DataFrame
        unit_id, programme, tier, adopted, first_date.
    metric : str
        The primary outcome.
    group, reference : str
        Whose gap it is.
    panel : DataFrame, optional
        The panel of returns; without it checks on other outcomes are not testable.
    training : DataFrame, optional
        The training log, for dose and cost.
    schools : DataFrame, optional
        unit_id and the covariates.
    covariates : tuple of str
        Columns of `schools` for Callaway and Sant'Anna's estimator.
    programme, tier : str
        The rows of `exposure` that are meant.
    min_schools : int
        As for `prepare`.
    other_gaps : mapping of str to DataFrame
        The same gaps under other cohort rules, by the rule's name.
    composition : mapping of str to DataFrame
        Further outcomes that describe who is counted, by name (for example entries or the
        cohort's earlier absence), as `prepare` takes them.
    sesoi, alpha : float
        Smallest effect of interest in the gap's unit, and the significance level.
    seed : int
        Of everything that is drawn.
    """

    school_gaps: pd.DataFrame
    exposure: pd.DataFrame
    metric: str
    group: str = names.CWSW
    reference: str = names.PEERS
    panel: pd.DataFrame | None = None
    training: pd.DataFrame | None = None
    schools: pd.DataFrame | None = None
    covariates: tuple[str, ...] = ()
    programme: str = "any"
    tier: str = "any"
    min_schools: int = 3
    other_gaps: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    composition: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sesoi: float = 0.5
    alpha: float = 0.05
    seed: int = 0

    def prepared(
        self, gaps: pd.DataFrame | None = None, exposure: pd.DataFrame | None = None
    ) -> Prepared:
        """Pass the study's gaps, or others, through the gate.

        Raises
        ------
        ContractError, DesignError
            As `prepare`.
        """
        own = exposure is None
        return prepare(
            self.school_gaps if gaps is None else gaps,
            self.exposure if exposure is None else exposure,
            schools=self.schools,
            covariates=self.covariates,
            programme=self.programme if own else "any",
            tier=self.tier if own else "any",
            min_schools=self.min_schools,
        )

    def outcome(
        self, which: str = "gap", *, group: str | None = None, reference: str | None = None
    ) -> pd.DataFrame:
        """Return another outcome of the same metric from the panel.

        Raises
        ------
        ContractError, DesignError
            As `school_levels`; also where there is no panel.
        """
        if self.panel is None:
            raise DesignError("no panel was given, so other outcomes cannot be made; give panel.")
        levels = school_levels(
            self.panel,
            metric=self.metric,
            group=group or self.group,
            reference=reference or self.reference,
        )
        return outcome_of(levels, which)

    def adopted(self) -> pd.Series:
        """Return each school's year of adoption, 0 = never, by unit_id.

        Raises
        ------
        ContractError, DesignError
            As `adopted_by_school`.
        """
        return adopted_by_school(self.exposure, programme=self.programme, tier=self.tier)
