"""Which school-years are compared, and what they could show.

`select_sample` selects the school-years that can bear an estimate and counts what is excluded;
`school_flow`, `design_table` and `balance_table` say who is compared with whom; `design_mde` says
what the design could detect, `wait_ratios` and `pool_mde` what more years or authorities would.
"""

from vsh_eval.effects.sample.balance import (
    BALANCE_COLUMNS,
    DESIGN_COLUMNS,
    FLOW_COLUMNS,
    balance_table,
    design_table,
    school_flow,
)
from vsh_eval.effects.sample.exposure import adopted_by_school
from vsh_eval.effects.sample.power import (
    DesignPower,
    design_mde,
    pool_mde,
    wait_ratios,
    years_needed,
)
from vsh_eval.effects.sample.selection import (
    EXCLUSION_COLUMNS,
    AnalysisSample,
    refuse_no_variation,
    select_sample,
)
