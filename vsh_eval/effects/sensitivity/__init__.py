"""What would change our mind: the question asked again in other ways.

`robustness` runs every check and judges each by its rule; `specification_curve` estimates under
every defensible set of choices; `subgroups` for parts of the schools and children. `honest` says
how far an effect survives trends that are not parallel, `pretrend` tests the years before training,
`pretrend_power` what that test would have missed, `composition_tests` whether the children counted
changed.
"""

from vsh_eval.effects.sensitivity.checks import (
    CHECKS,
    ROBUSTNESS_COLUMNS,
    RobustnessCheck,
    breakdown,
    not_estimable,
    nothing_to_check,
    robustness,
)
from vsh_eval.effects.sensitivity.composition import composition_outcomes, composition_tests
from vsh_eval.effects.sensitivity.honest_did import HONEST_COLUMNS, honest
from vsh_eval.effects.sensitivity.pretrend import (
    Drift,
    Pretrend,
    drift,
    imputed_leads,
    pretrend,
    pretrend_of,
    pretrend_power,
)
from vsh_eval.effects.sensitivity.specification_curve import (
    SPECIFICATION_COLUMNS,
    specification_curve,
)
from vsh_eval.effects.sensitivity.subgroups import SUBGROUP_COLUMNS, subgroups
