"""The dictionary: the words of the field, once, for code, notebooks, charts and report.

No logic lives here. Metrics have their own entries in `vsh_eval.registry`.
"""

from collections.abc import Mapping
from itertools import product
from types import MappingProxyType

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

GROUP_SUMS = MappingProxyType(
    {
        CWSW: (CIN, CPP),
        EVER_CWSW: (CIN, CPP, PREVIOUS),
        ALL: LEAF_GROUPS,
    }
)
"""Groups that are sums of leaf groups."""

GROUP_LABELS = MappingProxyType(
    {
        CLA: "Looked-after children",
        CPP: "Children on a child protection plan",
        CIN: "Children in need",
        PREVIOUS: "Children who had a social worker before, but not this year",
        PEERS: "Pupils without a social worker",
        CWSW: "Children with a social worker",
        EVER_CWSW: "Children who have or had a social worker",
        ALL: "All pupils",
    }
)

# --- Social care statuses in the episodes return.
STATUSES = ("CIN", "CPP", "CLA")

# --- Phases of education.
TOTAL = "total"
PHASE_LABELS = MappingProxyType(
    {
        "primary": "Primary",
        "secondary": "Secondary",
        "all_through": "All-through",
        "special": "Special",
        "alternative_provision": "Alternative provision",
        "early_years": "Early years",
        "sixteen_plus": "16 plus",
        TOTAL: "All phases",
    }
)
PHASES = tuple(phase for phase in PHASE_LABELS if phase != TOTAL)

# --- Cohort rules: who counts as having a social worker in an academic year.
COHORT_RULE_LABELS = MappingProxyType(
    {
        "any_time_in_year": "had a social worker at any time in the academic year",
        "at_31_march": "had a social worker on 31 March",
        "ever_6": "had a social worker in the year or the six years before",
    }
)

COUNTED_DIFFERENTLY = (
    "DfE counts enrolments for all pupils and children matched to the school census for children "
    "in need, and sorts schools into phases in two ways, so the gap between the two is indicative."
)
"""What is said wherever DfE's absence or suspensions of both stand together."""

# --- The training offer.
PROGRAMME_LABELS = MappingProxyType(
    {
        "elsa": "Emotional Literacy Support",
        "attachment_trauma": "Attachment and Trauma",
        "emotion_coaching": "Emotion Coaching",
        "relational_restorative": "Relational and Restorative practice",
        "safeguarding": "Safeguarding",
    }
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
SYMBOL_MEANINGS = MappingProxyType(
    {
        CONFIDENTIAL: "suppressed to protect children's confidentiality",
        LOW: "rounds to nought but is not nought",
        UNRELIABLE: "of low reliability",
        UNAVAILABLE: "not available",
        NOT_APPLICABLE: "not applicable",
    }
)

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
PANEL_COLUMNS = (*PANEL_KEYS, *PANEL_SUMS, "rate", "status")
COMPOSITION_STRATA = ("sen", "fsm6", "sex", "year_group")
COMPOSITION_COLUMNS = (*PANEL_KEYS, *COMPOSITION_STRATA, *PANEL_SUMS, "rate", "status")

# --- By what the pupils of a composition are broken down: what returns write, and its name here.
BREAKDOWNS: Mapping[str, Mapping[object, str]] = MappingProxyType(
    {
        "sex": {"F": "girls", "M": "boys", "U": "sex_not_recorded"},
        "fsm6": {1: "fsm6", 0: "not_fsm6"},
        "sen": {"N": "no_sen", "K": "sen_support", "E": "ehc_plan"},
        "key_stage": {
            **dict.fromkeys(range(-2, 1), "early_years"),
            **dict.fromkeys((1, 2), "ks1"),
            **dict.fromkeys(range(3, 7), "ks2"),
            **dict.fromkeys(range(7, 10), "ks3"),
            **dict.fromkeys((10, 11), "ks4"),
            **dict.fromkeys(range(12, 15), "post_16"),
        },
    }
)
BREAKDOWN_SOURCES = MappingProxyType(
    {name: name for name in BREAKDOWNS} | {"key_stage": "year_group"}
)
"""The column of the composition that each breakdown is read from."""

# --- How far schools differ: sums over schools of products of their strata's sums.
MAKE_UP, KEY_STAGE = "make_up", "key_stage"
MOMENT_AXES = MappingProxyType({MAKE_UP: ("sen", "fsm6", "sex"), KEY_STAGE: ("key_stage",)})
"""Which characteristics are crossed: each family of strata has its own products."""
MOMENT_STRATA = MappingProxyType(
    {
        by: tuple(
            "/".join(v) for v in product(*(dict.fromkeys(BREAKDOWNS[a].values()) for a in of))
        )
        for by, of in MOMENT_AXES.items()
    }
)
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
BREAKDOWN_LABELS = MappingProxyType(
    {
        "sex": "Sex",
        "fsm6": "Free school meals in the last six years",
        "sen": "Special educational needs",
        "key_stage": "Key stage",
    }
)
BREAKDOWN_VALUE_LABELS = MappingProxyType(
    {
        "girls": "Girls",
        "boys": "Boys",
        "sex_not_recorded": "Sex not recorded",
        "fsm6": "Had free school meals",
        "not_fsm6": "Had no free school meals",
        "no_sen": "No SEN",
        "sen_support": "SEN support",
        "ehc_plan": "Education, health and care plan",
        "early_years": "Early years",
        "ks1": "Key stage 1 (years 1 to 2)",
        "ks2": "Key stage 2 (years 3 to 6)",
        "ks3": "Key stage 3 (years 7 to 9)",
        "ks4": "Key stage 4 (years 10 to 11)",
        "post_16": "Years 12 to 14",
    }
)

SYNTHETIC_STAMP = "SYNTHETIC"
"""Stands on every output made from invented data."""
