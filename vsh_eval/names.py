"""The dictionary: the codes of the field, once, for code and tables.

No logic lives here. Metrics have their own entries in `vsh_eval.registry`; what readers call a code
stands in `vsh_eval.release.text.phrases.labels`.
"""

from collections.abc import Mapping
from itertools import product
from typing import Literal, NamedTuple

# --- Groups of pupils. A pupil-year is in exactly one leaf group.
CLA = "cla"
CPP = "cpp"
CIN = "cin"
PREVIOUS = "previous"
PEERS = "peers"
CWSW = "cwsw"
EVER_CWSW = "ever_cwsw"
ALL = "all"

LEAF_GROUPS = (CLA, CPP, CIN, PREVIOUS, PEERS)
"""Groups that share no pupil-year, the most intensive help first."""

GROUP_SUMS: Mapping[str, tuple[str, ...]] = {
    CWSW: (CIN, CPP),
    EVER_CWSW: (CIN, CPP, PREVIOUS),
    ALL: LEAF_GROUPS,
}
"""Groups that are sums of leaf groups."""


# --- Social care statuses in the episodes return.
STATUSES = ("CIN", "CPP", "CLA")

# --- Phases of education.
TOTAL = "total"
PHASES = (
    "primary",
    "secondary",
    "all_through",
    "special",
    "alternative_provision",
    "early_years",
    "sixteen_plus",
)


# --- The training offer.
PROGRAMMES = (
    "elsa",
    "attachment_trauma",
    "emotion_coaching",
    "relational_restorative",
    "safeguarding",
)
TIERS = ("universal", "targeted")
AUDIENCES = ("teacher", "leader", "dsl", "social_worker", "other")
NEVER = 0
"""Adoption year of a school that has not been trained."""

# --- Levels of the panel.
SCHOOL = "school"
LA = "la"
REGION = "region"
NATIONAL = "national"

# --- DfE's symbols for a value that is not shown.
CONFIDENTIAL = "c"
LOW = "low"
UNRELIABLE = "u"
UNAVAILABLE = "x"
NOT_APPLICABLE = "z"
SYMBOLS = (CONFIDENTIAL, LOW, UNRELIABLE, UNAVAILABLE, NOT_APPLICABLE)
LEAST_PUPILS = 10
"""What fewer pupils than this have in common is hidden."""

# --- The panel: what makes a row, and what it carries.
PANEL_KEYS = (
    "source",
    "vintage",
    "cohort_rule",
    "level",
    "unit_id",
    "time_period",
    "phase",
    "group",
    "metric",
)
PANEL_SUMS = ("pupils", "numerator", "denominator", "sum_yy", "sum_xy", "sum_xx")
RECORD_KEYS = ("key_n", "key_y")
"""Sums of record keys: of the children that ``pupils`` counts, and of those of them with y > 0."""
PANEL_COLUMNS = (*PANEL_KEYS, *PANEL_SUMS, *RECORD_KEYS, "rate", "status")


# --- Characteristics of pupils: what enrolments say of them.
class Characteristic(NamedTuple):
    """A column of the enrolments by which pupils are told apart.

    Attributes
    ----------
    column : str
        Its name in the returns and in the composition.
    codes : Mapping
        What returns write, in order, and the name of each here.
    of_two : {"first", "last"}
        Which code counts for a pupil whose enrolments of a year differ.
    """

    column: str
    codes: Mapping[object, str]
    of_two: Literal["first", "last"]


CHARACTERISTICS: Mapping[str, Characteristic] = {
    "sex": Characteristic("sex", {"F": "girls", "M": "boys", "U": "sex_not_recorded"}, "first"),
    "fsm6": Characteristic("fsm6", {1: "fsm6", 0: "not_fsm6"}, "first"),
    "sen": Characteristic("sen", {"N": "no_sen", "K": "sen_support", "E": "ehc_plan"}, "last"),
    "key_stage": Characteristic(
        "year_group",
        {
            **dict.fromkeys(range(-2, 1), "early_years"),
            **dict.fromkeys((1, 2), "ks1"),
            **dict.fromkeys(range(3, 7), "ks2"),
            **dict.fromkeys(range(7, 10), "ks3"),
            **dict.fromkeys((10, 11), "ks4"),
            **dict.fromkeys(range(12, 15), "post_16"),
        },
        "last",
    ),
}
"""By the name of the breakdown. The returns' contract, the SQL and the tables are made of it."""
BREAKDOWNS: Mapping[str, Mapping[object, str]] = {
    name: of.codes for name, of in CHARACTERISTICS.items()
}
"""By what the pupils of a composition are broken down: what returns write, and its name here."""

# --- How far schools differ: sums over schools of products of their strata's sums.
MAKE_UP, KEY_STAGE = "make_up", "key_stage"
_CROSSED = ("sen", "fsm6", "sex")
MOMENT_AXES: Mapping[str, tuple[str, ...]] = {
    MAKE_UP: _CROSSED,
    **{name: (name,) for name in CHARACTERISTICS if name not in _CROSSED},
}
"""Which characteristics are crossed: each family of strata has its own products.

Those of the make-up are what a gap is decomposed by. Every other characteristic stands alone, as
products grow with the square of the strata.
"""
FACTORS = ("phase", *MOMENT_AXES[MAKE_UP])
"""What a gap is decomposed by: the phase of the school, and the characteristics of the make-up."""
COMPOSITION_STRATA = tuple(
    CHARACTERISTICS[name].column for axes in MOMENT_AXES.values() for name in axes
)
COMPOSITION_COLUMNS = (
    *(*PANEL_KEYS, *COMPOSITION_STRATA),
    *(*PANEL_SUMS, *RECORD_KEYS, "rate", "status"),
)
MOMENT_STRATA: Mapping[str, tuple[str, ...]] = {
    by: tuple("/".join(v) for v in product(*(dict.fromkeys(BREAKDOWNS[a].values()) for a in of)))
    for by, of in MOMENT_AXES.items()
}
"""The strata of each family: one value of each of its characteristics, the last one fastest."""
MOMENT_KEYS = (
    *("source", "vintage", "cohort_rule", "level", "unit_id", "time_period", "phase", "metric"),
    *("by", "group", "stratum", "other_group", "other_stratum"),
)
MOMENT_PRODUCTS = ("yy", "yx", "xy", "xx")
"""The stratum's numerator (denominator) times the other stratum's, added up over schools."""
MOMENT_COLUMNS = (*MOMENT_KEYS, *MOMENT_PRODUCTS)
ANY = "any"
"""The breakdown, and its one value, that leaves nobody out."""
SPREAD_KEYS = (*MOMENT_KEYS[:8], "breakdown", "value", "group")
SPREAD_COLUMNS = (*SPREAD_KEYS, "pupils", "schools", "largest")
SPREAD_VALUES = (
    (ANY, ANY),
    *((by, value) for by, of in BREAKDOWNS.items() for value in dict.fromkeys(of.values())),
)
"""The breakdowns with each of their values."""

# --- Rules of the evidence statement.
P_VALUE_RULES = ("pretrend", "composition", "peers", "randomisation")
"""Those whose number is a p value."""

SYNTHETIC_STAMP = "SYNTHETIC"
"""Stands on every output made from invented data."""
