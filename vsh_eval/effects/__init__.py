"""From schools' gaps to estimates of what training did.

Before any effect: `prepare` passes school-years through the gate and keeps account of what is
lost; `design_table` and `balance_table` say who is compared with whom; `design_mde` and `mde` say
what the design could see.

The effect: `impute` is the primary estimator (`fit_imputation` keeps covariance, leave-one-outs
and dropped cells), `donut` the same without the year before training, `att_gt` Callaway and
Sant'Anna's (`fit_att_gt` keeps covariance and pre-test). `estimate` puts them into the estimates
contract for one outcome; `adjust` accounts for how many outcomes were asked about.

What it is worth: `pretrend` tests the placebo leads, `composition_check` whether the children
counted changed, and `evidence` turns all of it into one statement by printed rules.
"""

from vsh_eval.effects.design import balance_table, design_table
from vsh_eval.effects.estimate import adjust, composition_check, estimate
from vsh_eval.effects.evidence import Checks, Evidence, evidence
from vsh_eval.effects.gate import Prepared, prepare
from vsh_eval.effects.imputation import Imputation, donut, fit_imputation, impute
from vsh_eval.effects.power import DesignPower, design_mde, mde
from vsh_eval.effects.pretrend import Pretrend, pretrend
from vsh_eval.effects.rows import ESTIMATE_COLUMNS, ROW_COLUMNS
from vsh_eval.effects.staggered import GroupTime, att_gt, fit_att_gt

__all__ = [
    "ESTIMATE_COLUMNS",
    "ROW_COLUMNS",
    "Checks",
    "DesignPower",
    "Evidence",
    "GroupTime",
    "Imputation",
    "Prepared",
    "Pretrend",
    "adjust",
    "att_gt",
    "balance_table",
    "composition_check",
    "design_mde",
    "design_table",
    "donut",
    "estimate",
    "evidence",
    "fit_att_gt",
    "fit_imputation",
    "impute",
    "mde",
    "prepare",
    "pretrend",
]
