"""Words on charts: axes, titles, captions and alternative texts, each a template to be filled.

A name says on which chart the words stand; what several charts share comes first.
"""

from vsh_eval import registry
from vsh_eval.release.text.phrases.labels import INTERVAL, metric_in_text, year_label
from vsh_eval.release.text.words import words

# --- On every chart.
NOT_SHOWN = "not shown"
MORE_IN_TABLE = "All numbers are in the table below."
MORE_ON_IMPACT = "All numbers are on the page Impact."
"""On the first page, whose chart has its table elsewhere."""
BY_YEAR = "{title}, by academic year."
LABEL_AND_VALUE = "{label}\n{value}"
VALUE_IN_YEAR = "{value} ({year})"
NAMED = "{name}: {text}"
SHADED = "Shaded: {note}"
SHADED_INTERVAL = f"Shaded: {INTERVAL}."
VALUE_AND_INTERVAL = "{value} ({interval})"
CONFIDENCE_INTERVAL = f"{{value}} ({INTERVAL} {{interval}})"


def with_unit(label: str, unit: str) -> str:
    """Name a measure with its unit, as beside an axis."""
    return f"{label} ({unit})"


GAP_IN = "Gap in {metric}"


def gap_axis(metric: str) -> str:
    """Name the axis of a gap."""
    return with_unit(GAP_IN.format(metric=metric_in_text(metric)), registry.metric(metric).gap_unit)


def effect_axis(metric: str) -> str:
    """Name the axis of an effect."""
    unit = registry.metric(metric).gap_unit
    return with_unit(f"Effect on the gap in {metric_in_text(metric)}", unit)


def ends(*, lower_is_better: bool) -> tuple[str, str]:
    """Name the ends of an axis of effects, the left one first."""
    left, right = ("narrowed", "widened") if lower_is_better else ("widened", "narrowed")
    return f"\N{LEFTWARDS ARROW} gap {left}", f"gap {right} \N{RIGHTWARDS ARROW}"


def of_year(title: str, year: int) -> str:
    """Add the academic year to a title."""
    return f"{title}, {year_label(year)}"


# --- Alternative texts: how a line went.
LINE_CHART_OF = "Line chart of {title}"
LINE_CHART_OF_THE = "Line chart of the {title}"
LINE_CHART, BAR_CHART, DOT_CHART = "Line chart: {title}", "Bar chart: {title}", "Dots: {title}"
OVER_YEARS = "{opening}, {years}"
YEARS = "{first} to {last}"
NOT_IN_ANY_YEAR = "not shown in any year"
ONE_YEAR = "was {value} in {year}, the only year shown"
SAME_VALUE = "was the same, {value}, in {first} and {last}"
COURSE = "went from {start} in {first} to {end} in {last}"
GAP_LAST = "The gap was {value} in {year}"
GAP_BOTH = "The gap was {value} in {year}, {before} in {first}"
GAP_COURSE = "was {end} in {last}, {verdict} the {start} of {first}"
WIDER, NARROWER = "wider than", "narrower than"
AS_WIDE, ABOUT_AS_WIDE = "the same as", "about the same as"
THE_GAP = "The gap {course}"
THE_RATIO = "The ratio {course}"
LAST_INTERVAL = f"{INTERVAL} of the last: {{interval}}"
NOTHING_FOR = "Nothing is shown for {years}"

# --- Levels and gaps over the years.
BREAKS = {"no_data": "no data", "not_comparable": "not comparable"}
GAP_NAME, RATIO_NAME = "Gap", "Ratio"
RATIO_AXIS = "How many times as high the level is"
NO_GAP, EQUAL_LEVELS = "no gap", "equal"
GAP_TITLE = "Gap in {measure} between {group} and {reference}"
RATIO_TITLE = "Ratio of {measure} among {group} to that among {reference}"

# --- The gap of trained and of untrained schools.
ARMS_TITLE = "Gap in {measure} between {group} and {reference}, in trained and in untrained schools"
ARMS_OF = "Line chart of the gap in {measure} in trained and in untrained schools"
ARMS_CAPTION = (
    "Trained: schools that count as trained by the last year shown; each school is on the same "
    "line in every year, and in brackets is their number. Upright line: the first of them count as "
    "trained."
)
ARM_AND_SCHOOLS = "{arm} ({schools})"
FIRST_TRAINED = "first schools trained"
TRAINED_SO_FAR = "Below each year: how many schools count as trained"

# --- Numbers of children.
SIZES_TITLE = "Children of each group"
MOVED_COUNTS_TWICE = "A child who moved counts at each school."
MOVES_MARKED = "Above the chart: years in which the number of {group} changed by 10% or more."
COUNT_IN_YEAR = "{count} in {year}"

# --- The reach of training.
ROLLOUT_AXIS = "Schools trained for the first time"
ROLLOUT_SHARE = "Share by {year}"
ROLLOUT_OF = (
    "Bars: schools trained for the first time, by programme, in all and as a share of schools"
)
ROLLOUT_ROW = "{count}, {share}"
ROLLOUT_CAPTION = (
    "Schools trained for the first time, by programme and academic year. A school trained in two "
    "programmes counts in both rows."
)
NEED_TITLE = "Share of schools and of {group} reached, by {need}"
REACHED_AXIS = "In trained schools (%)"
SCHOOLS_NAMED = "Schools"
BOTH_SHARES = "{0}, {1}"
HEAT_TITLE = "{share}, by {by} and {over}"
COUNTS_FROM_FIRST = "A school counts from its first training on."
HEAT_OF = "Heat table of the {title}"
NOT_REACHED = "{share}\n{count} not reached"
NOT_REACHED_CAPTION = "Not reached: children in schools without training."
ALL_IN_BANDS = "Every school is in a band."
IN_NO_BAND = "Schools in no band: {count}."
HEAT_CAPTION = "{title}. Per cent; the stronger the colour, the more."
HIGHEST, LOWEST = "Highest", "Lowest"
EXTREME = "{which}{when}: {place}, {value}"
EXTREME_IN = " in {year}"
TWO_KEYS = "{row}, {column}"

# --- An authority among others.
STANDING_TITLE = "{about}, the widest first"
OTHERS, FROM_TO = "The others shown", "{low} to {high}"
STANDING_BARS = f"Bars: {INTERVAL}, from DfE's counts. Hollow: England and the region."
NO_INTERVALS = (
    "DfE's tables do not say how much pupils differ in this measure, so no interval can be given. "
    "Hollow: England and the region."
)


# --- Who the children are.
BREAKDOWN_TITLE = "{measure} by pupils' characteristics"
BREAKDOWN_OF = "Dots: {title}, gaps"
BREAKDOWN_CAPTION = f"{{title}}. Bars: {INTERVAL}. At the right: the gap."
BREAKDOWN_VALUE = "{gap} ({value})"
DECOMPOSITION_TITLE = "How much of the gap in {measure} reflects pupils' characteristics"
DECOMPOSITION_CAPTION = (
    f"{{title}}. In brackets: {INTERVAL}. It says what goes together, not what causes what."
)

# --- Estimates.
EVENTS_TITLE = "Effect of training on the gap in {metric}, by years since training"
EVENTS_OF = "Chart of the {title}"
EVENTS_X = "Years since training (0 = the first)\nand number of trained schools"
EVENTS_BARS = f"Bars: {INTERVAL} of each estimate."
EVENTS_BAND = "Shaded: simultaneous band of all of them."
EVENTS_HOLLOW = "Hollow points: years before training, where no effect is expected."
TRAINED_FROM_HERE = "trained from here"
BEFORE_TRAINING = "Before training {count} of {all} intervals contain zero"
FIRST_YEAR_TRAINED = "In the first year trained the estimate is {estimate}"
AFTER_ONE_YEAR = "After 1 year the estimate is {estimate}"
AFTER_YEARS = "After {years} years the estimate is {estimate}"
FOREST_OF = "Chart of {count} estimates: {title}"
FOREST_TITLE = "Estimates side by side"
FOREST_CAPTION = f"{{title}}. Bars: {INTERVAL}."
POOL_TITLE = "Effect on the gap in {metric}: {estimator}"
LEFT_OUT_HOLLOW = "Hollow: left out of the pool."
NEXT_AUTHORITY_THIN = "Thin line: where the true effect in one more authority may lie."
AGAINST = "against {comparison}"
ALL_SCHOOLS = "All schools"
ROBUSTNESS_TITLE = "The effect on the gap in {metric}, estimated in {ways}"
ONE_OTHER_WAY, OTHER_WAYS = "1 other way", "{count} other ways"
ROBUSTNESS_OF = "Chart of estimates. {title}"
ROBUSTNESS_CAPTION = (
    f"{{title}}. Bars: {INTERVAL}. Shaded: that of the primary estimate. "
    "Hollow: differs from it by the rule of its check. At a placebo no effect is expected."
)
PLACEBOS = "Placebos: zero is expected"
PRIMARY = "Primary estimate"
ESTIMATE_DIFFERS = "{value} differs"
HONEST_TITLE = "The effect on the gap in {metric} if trends had differed without training"
HONEST_OF = "Chart of intervals. {title}"
HONEST_X = (
    "Largest difference of trends allowed\n(1 = the largest seen between two years before training)"
)
HONEST_CAPTION = (
    f"{{title}}. Bars: {INTERVAL} that allows for trend differences of that size. A bar "
    "that crosses the line of zero no longer shows an effect."
)
HONEST_TARGETS = words("sentences", "target", "heading")
"""The headline's quantity first."""
HONEST_SIZE = "up to {size} times, {interval}"
CHOICES = words("labels", "choice")
"""The choices that a specification curve varies."""
OF_DATA, OF_METHOD = tuple(CHOICES)[:3], tuple(CHOICES)[3:]
CURVE_OF_CHOICES = "Effect on the gap in {metric} under {count} sets of choices"
SPECIFICATIONS_OF = "Specification curve. {title}"
SPECIFICATIONS_CAPTION = (
    f"{{title}}, from the lowest up. Grey: {INTERVAL}s. Large point: the choices of the "
    "protocol. Marks below: which choices of data, then of method, an estimate makes."
)
NO_ESTIMATE = "No estimate is shown"
ESTIMATES_RANGE = (
    "Estimates go from {low} to {high}; {below} intervals lie wholly below zero and {above} wholly "
    "above"
)
PROTOCOL_CHOICE = "The protocol's choices give {estimate}, number {rank} of {count}"

# --- Power.
POWER_TITLE = "How often an effect on the gap in {metric} would be detected"
POWER_OF = "Line chart. {title}, by its size in {unit}"
POWER_X = "Injected effect ({unit})"
POWER_Y = "Runs that detect the effect (%)"
FOUR_IN_FIVE = "80%"
SMALLEST_OF_INTEREST = "smallest of interest"
DETECTABLE = "detectable: {effect}"
THE_ESTIMATE = "estimate: {estimate}"
POWER_SMALLEST = "The smallest effect of interest is {effect}"
POWER_CAPTION = (
    "{title}. Injected into these data, with years of training assigned at random. Effects, and "
    f"the estimate, are shown by their size, without a sign. Shaded: {INTERVAL} of the share."
)

# --- An authority against a weighted average of others.
SYNTHETIC_TITLE = "Gap in {metric}: {authority} and a weighted average of others"
SYNTHETIC_OF = "Line charts. {title}"
SYNTHETIC_NAME, DISTANCE, CHANCE = "Weighted average", "Distance", "Usual for others"
SHIFTED = "Average shifted by {shift}"
DISTANCE_AXIS = "Distance from the shifted average ({unit})"
OFFER_FROM_HERE = "offer from here"
SYNTHETIC_CAPTION = "Donors: {donors}. Upright line: the offer starts in {start}."
SYNTHETIC_CHANCE = "Grey: where 95% of authorities of about its size lie without any known cause."
SYNTHETIC_SHIFT = (
    "The weighted average is also drawn shifted by {shift}, to the authority's own height before "
    "the offer; the distance is measured from there."
)
SYNTHETIC_LAST = (
    "In {year} the gap was {own}, of the weighted average {average}, which shifted by {shift} is "
    "{other}"
)
DISTANCES = "Distance since the offer started: {distances}"
BEYOND_CHANCE = "Further from zero than 95% of authorities of about its size: {years}"
IN_NO_YEAR = "in no year"
