"""How much of an estimate could be chance.

`randomise` reassigns the years of training at random, `wild_bootstrap` is for few schools.
Before effects are looked at: `placebo_simulation` counts false alarms on the user's own data,
`injected_effect_power` how often effects of known size are found.
"""

from vsh_eval.effects.inference.placebo_simulation import (
    CURVE_COLUMNS,
    PLACEBO_COLUMNS,
    injected_effect_power,
    placebo_simulation,
)
from vsh_eval.effects.inference.randomisation import randomise, reassignments
from vsh_eval.effects.inference.wild_bootstrap import wild_bootstrap
