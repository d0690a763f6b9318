"""From school-years to estimates of what training did.

`impute` is the primary estimator (`fit_imputation` keeps covariance and leave-one-outs,
`impute_parts` splits the trained school-years), `same_past` the second. Beside them: `att_gt`,
Callaway and Sant'Anna's; `two_way_fixed_effects` with the comparisons it is made of (`bacon`,
`bacon_by_type`); `long_differences`, where every year is compared with the last before training.
`estimate` puts one outcome's estimates into the contract, `adjust` their p values.
"""

from vsh_eval.effects.estimators.callaway_santanna import att_gt
from vsh_eval.effects.estimators.estimate import adjust, estimate
from vsh_eval.effects.estimators.imputation import Imputation, fit_imputation, impute, impute_parts
from vsh_eval.effects.estimators.long_differences import LongDifferences, long_differences
from vsh_eval.effects.estimators.same_past import same_past
from vsh_eval.effects.estimators.two_way import (
    BACON_COLUMNS,
    TYPE_COLUMNS,
    bacon,
    bacon_by_type,
    balanced,
    two_way_fixed_effects,
)
