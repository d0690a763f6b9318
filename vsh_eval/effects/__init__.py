"""From schools' gaps to estimates of what training did.

Before any effect: `prepare` passes school-years through the gate and keeps account of what is
lost; `design_table` and `balance_table` say who is compared with whom; `design_mde` and `mde` say
what the design could see, `aa_run` and `planted_power` what the method says on these very data
where the answer is known.

The effect: `impute` is the primary estimator (`fit_imputation` keeps covariance, leave-one-outs
and dropped cells), `donut` the same without the year before training, `att_gt` Callaway and
Sant'Anna's (`fit_att_gt` keeps covariance and pre-test). `estimate` puts them into the estimates
contract for one outcome; `adjust` accounts for how many outcomes were asked about.

All that could change our mind, of one `Study`: `robustness` (checks a to k), `specification_curve`
and `subgroups` with `overlap_table`; `randomise`, `composition_tests` and `breakdown` on their own.
`composition_outcomes` turns the count of who is newly counted into outcomes for these tests.
`value` puts the cost beside the change.

Beside it, on any long table: `two_way_fixed_effects` and what it is made of (`bacon`),
`sun_abraham`, and `long_differences`, where every year is compared with the last before training.
`honest` says how far the effect survives trends that are not parallel, `pretrend_power` what the
pre-trend test would have missed, `wild_cluster` what few schools allow, `tost` whether the effect
is too small to matter.

From DfE's published tables, one authority against a mixture of others: `synthetic_did` and
`synthetic_control` on any long table (`fit_synthetic` keeps weights, courses and placebos);
`authority_estimates` puts an authority's offer into the estimates contract, `fit_authority` and
`authority_course` show what it is made of, `NATIONAL_DUTY` says what it cannot tell;
`with_suppressed_values` bounds what DfE suppresses, so that nothing is taken for missing.

What it is worth: `pretrend` tests the placebo leads, `composition_check` whether the children
counted changed, and `evidence` turns all of it into one statement by printed rules.
"""

from vsh_eval.effects.authorities import (
    NATIONAL_DUTY,
    authority_course,
    authority_estimates,
    authority_panel,
    donor_pools,
    fit_authority,
)
from vsh_eval.effects.bacon import bacon, balanced
from vsh_eval.effects.design import balance_table, design_table
from vsh_eval.effects.estimate import adjust, composition_check, estimate
from vsh_eval.effects.evidence import Checks, Evidence, evidence
from vsh_eval.effects.gate import Prepared, prepare
from vsh_eval.effects.honest import honest
from vsh_eval.effects.imputation import Imputation, donut, fit_imputation, impute
from vsh_eval.effects.long_differences import (
    LongDifferences,
    fit_long_differences,
    long_differences,
)
from vsh_eval.effects.make_up import composition_outcomes, composition_tests
from vsh_eval.effects.not_estimable import not_estimable, nothing_to_check
from vsh_eval.effects.other_estimators import breakdown
from vsh_eval.effects.outcomes import outcome_of, school_levels
from vsh_eval.effects.parts import impute_parts
from vsh_eval.effects.power import DesignPower, design_mde, mde
from vsh_eval.effects.pretrend import Pretrend, pretrend
from vsh_eval.effects.pretrend_power import pretrend_power
from vsh_eval.effects.randomise import Randomisation, fit_randomisation, randomise
from vsh_eval.effects.rehearsal import PlantedPower, aa_run, planted_power
from vsh_eval.effects.robustness import robustness
from vsh_eval.effects.rows import ESTIMATE_COLUMNS, ROW_COLUMNS
from vsh_eval.effects.specifications import specification_curve
from vsh_eval.effects.staggered import GroupTime, att_gt, fit_att_gt
from vsh_eval.effects.study import Study
from vsh_eval.effects.subgroups import subgroups
from vsh_eval.effects.subsets import overlap_table
from vsh_eval.effects.sun_abraham import sun_abraham
from vsh_eval.effects.suppressed import with_suppressed_values
from vsh_eval.effects.synthetic_control import synthetic_control
from vsh_eval.effects.synthetic_did import Synthetic, fit_synthetic, synthetic_did
from vsh_eval.effects.tost import tost
from vsh_eval.effects.two_way import two_way_fixed_effects
from vsh_eval.effects.value import value
from vsh_eval.effects.wild_cluster import wild_cluster

__all__ = [
    "ESTIMATE_COLUMNS",
    "NATIONAL_DUTY",
    "ROW_COLUMNS",
    "Checks",
    "DesignPower",
    "Evidence",
    "GroupTime",
    "Imputation",
    "LongDifferences",
    "PlantedPower",
    "Prepared",
    "Pretrend",
    "Randomisation",
    "Study",
    "Synthetic",
    "aa_run",
    "adjust",
    "att_gt",
    "authority_course",
    "authority_estimates",
    "authority_panel",
    "bacon",
    "balance_table",
    "balanced",
    "breakdown",
    "composition_check",
    "composition_outcomes",
    "composition_tests",
    "design_mde",
    "design_table",
    "donor_pools",
    "donut",
    "estimate",
    "evidence",
    "fit_att_gt",
    "fit_authority",
    "fit_imputation",
    "fit_long_differences",
    "fit_randomisation",
    "fit_synthetic",
    "honest",
    "impute",
    "impute_parts",
    "long_differences",
    "mde",
    "not_estimable",
    "nothing_to_check",
    "outcome_of",
    "overlap_table",
    "planted_power",
    "prepare",
    "pretrend",
    "pretrend_power",
    "randomise",
    "robustness",
    "school_levels",
    "specification_curve",
    "subgroups",
    "sun_abraham",
    "synthetic_control",
    "synthetic_did",
    "tost",
    "two_way_fixed_effects",
    "value",
    "wild_cluster",
    "with_suppressed_values",
]
