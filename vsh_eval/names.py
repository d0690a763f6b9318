"""The dictionary: the words of the field, once, for code, notebooks, charts and report.

No logic lives here. Metrics have their own entries in `vsh_eval.registry`.
"""

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

SYNTHETIC_STAMP = "SYNTHETIC"
"""Stands on every output made from invented data."""
