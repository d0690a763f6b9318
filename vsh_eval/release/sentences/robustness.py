"""What would change our mind: the verdicts of the checks in plain words."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from vsh_eval import registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, records, value_of
from vsh_eval.release.wording import amount, decimals_for, limits, listed, number, p_text

AGREES, DIFFERS = "agrees", "differs"

_WHAT: Mapping[str, str] = MappingProxyType(
    {
        "a": "Schools already on another path before training.",
        "b": "A path that broke away, at the time of training, for another reason.",
        "c": "An effect in years before anyone was trained.",
        "d": "Peers who moved, and not the cohort.",
        "e": "An effect no larger than chance alone gives.",
        "f": "A result that hangs on one school, one year of training or one programme.",
        "g": "Other estimators that say something else.",
        "h": "A result made by the covid years.",
        "i": "A result that hangs on whom we count, or compare with.",
        "j": "Other children being counted after training than before.",
        "k": "An effect too small to matter.",
    }
)
_NOT_TESTABLE = "This could not be tested here."


def mind_headline(safe: SafeTable, *, alpha: float = 0.05) -> str:
    """Say how many kinds of check speak against the primary estimate.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: the primary simple estimate and the robustness table.
    alpha : float
        Significance level.

    Returns
    -------
    str
        One or two sentences; agreement is not called proof.
    """
    rows = _by_check(safe)
    against = [check for check, found in rows.items() if _verdict(found) == DIFFERS]
    silent = [check for check, found in rows.items() if not _verdict(found)]
    agree = len(rows) - len(against) - len(silent)
    if _primary(safe) is None:
        return "There is no estimate, so there is nothing that a check could change our mind about."
    if not _found(safe, alpha):
        start = "The primary test finds no effect; the checks ask whether one was missed or hidden."
    elif against:
        start = "Something here speaks against the result, or leaves a doubt."
    else:
        start = "Nothing here speaks against the result, which is not proof that it is right."
    counts = [f"{agree} of {len(rows)} kinds of check agree with the primary estimate"]
    if against:
        counts.append(f"{len(against)} {'does' if len(against) == 1 else 'do'} not")
    if silent:
        counts.append(f"{len(silent)} could not be made")
    return f"{start} {listed(counts)}."


def mind_sentences(safe: SafeTable, *, alpha: float = 0.05) -> tuple[str, ...]:
    """Say of each kind of check what would change our mind and what was found.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: the primary simple estimate and the robustness table.
    alpha : float
        Significance level.

    Returns
    -------
    tuple of str
        One text a check in Markdown: what would change our mind, then the finding. What speaks
        against the result comes first, then what could not be tested.
    """
    found = _found(safe, alpha)
    unit = _unit(safe)
    said: dict[str, list[str]] = {DIFFERS: [], "": [], AGREES: []}
    for check, rows in _by_check(safe).items():
        if check == "b" and not found and _primary(safe):
            answer = "No effect is found, so there is nothing that such a break could undo."
        elif not _verdict(rows):
            answer = f"{_NOT_TESTABLE}{_why(rows) if _primary(safe) else ''}"
        else:
            answer = _ANSWERS[check](rows, unit, found=found)
        mark = ""
        if _verdict(rows) == DIFFERS:
            mark = "Leaves a doubt. " if _only_a_doubt(rows) else "Speaks against the estimate. "
        said[_verdict(rows)].append(f"**{_WHAT[check]}** {mark}{answer}")
    return tuple(text for texts in said.values() for text in texts)


def honest_sentence(safe: SafeTable) -> str:
    """Say how large a difference of the paths the result survives, in the first year and after.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table of honest bounds: variant (``first year``, ``all years``) and
        breakdown.

    Returns
    -------
    str
        One sentence a target.
    """
    parts = []
    for variant, words in (("first year", "In the first year after training"),
                           ("all years", "Averaged over all years after training")):  # fmt: skip
        row = next((row for row in records(safe) if row["variant"] == variant), None)
        if row is None:
            continue
        size = float(row["breakdown"])
        parts.append(
            f"{words} the result survives trend differences up to {number(size)} times the largest "
            "seen before training."
            if size > 0
            else f"{words} the interval contains nought even if the paths were the same, so there "
            "is nothing that trend differences could undo."
        )
    return " ".join(parts)


def drift_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say which drift before training the test would have seen.

    Parameters
    ----------
    safe : SafeTable
        One row of facts: slope (a year) and bias (what the drift would add to the estimate).
    metric : str
        The outcome.

    Returns
    -------
    str
        One sentence.
    """
    row = one_row(safe)
    unit = registry.metric(metric).gap_unit
    slope, bias = abs(float(row["slope"])), abs(float(row["bias"]))
    return (
        f"The test of the years before training would have seen a drift of "
        f"{amount(slope, unit, decimals=decimals_for(slope))} a year four times in five. A drift "
        f"just too small to be seen could so add {amount(bias, unit)} to the estimate."
    )


def two_way_sentence(safe: SafeTable) -> str:
    """Say how much of two-way fixed effects compares with schools that were trained already.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: variant (kind of comparison) and weight, all adding up to 1.

    Returns
    -------
    str
        One sentence on the weight, one on what it means.
    """
    rows = records(safe)
    already = sum(
        float(row["weight"])
        for row in rows
        if row["variant"] in {"later_vs_earlier", "treated_vs_always"}
    )
    return (
        f"Of the weight in two-way fixed effects {number(100 * already, decimals=0)}% lies on "
        "comparisons with schools that were trained already. Where effects grow, those enter with "
        "the wrong sign, so that estimator stands here as a reference only."
    )


def _by_check(safe: SafeTable) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in records(safe):
        if row.get("role") != "primary":
            rows.setdefault(str(row["check"]), []).append(row)
    return dict(sorted(rows.items()))


def _primary(safe: SafeTable) -> Row | None:
    return next(
        (
            row
            for row in records(safe)
            if row.get("role") == "primary" and is_shown(row, "estimate")
        ),
        None,
    )


def _found(safe: SafeTable, alpha: float) -> bool:
    row = _primary(safe)
    return row is not None and is_shown(row, "p_value") and value_of(row, "p_value") < alpha


def _unit(safe: SafeTable) -> str:
    row = next(row for row in records(safe) if row.get("role") == "primary")
    return registry.metric(str(row["metric"])).gap_unit


def _verdict(rows: Sequence[Row]) -> str:
    """Return what a kind of check comes to: differs where one of its rows does, '' untested."""
    verdicts = {str(row["verdict"]) for row in rows}
    if rows and str(rows[0]["check"]) == "b":  # the rule is about differences as large as before
        verdicts = {str(row["verdict"]) for row in rows if "first year" in str(row["variant"])} or (
            verdicts
        )
    return DIFFERS if DIFFERS in verdicts else AGREES if AGREES in verdicts else ""


def _only_a_doubt(rows: Sequence[Row]) -> bool:
    """Tell whether all that differs is what an unseen drift could add."""
    differing = [row for row in rows if row["verdict"] == DIFFERS]
    return all(row["estimator"] == "pretrend_power" for row in differing)


def _why(rows: Sequence[Row]) -> str:
    reason = next((str(row["reason"]) for row in rows if row.get("reason")), "").rstrip(".")
    return f" The reason: {reason}." if reason else ""


def _tested(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["verdict"] in {AGREES, DIFFERS}]


def _estimate(row: Row, unit: str) -> str:
    value = value_of(row, "estimate")
    if not is_shown(row, "ci_lower", "ci_upper"):
        return amount(value, unit, signed=True)
    lower, upper = value_of(row, "ci_lower"), value_of(row, "ci_upper")
    places = decimals_for(value, lower, upper)
    return (
        f"{amount(value, unit, decimals=places, signed=True)} "
        f"({limits(lower, upper, decimals=places)})"
    )


def _p(row: Row) -> str:
    text = p_text(value_of(row, "p_value"))
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _before(rows: Sequence[Row], unit: str, *, found: bool) -> str:
    tests = [row for row in rows if is_shown(row, "p_value")]
    drift = [
        row for row in rows if not is_shown(row, "p_value") and row["verdict"] in {AGREES, DIFFERS}
    ]
    said = []
    if tests:
        seen = tests[0]["verdict"] == DIFFERS
        said.append(
            f"Another path is seen ({_p(tests[0])}), so the estimate must not be believed."
            if seen
            else f"No other path is seen ({_p(tests[0])})."
        )
    if drift:
        reason = str(drift[0].get("reason") or "").rstrip(".")
        reason = f"{reason.replace(' a year', f' {unit} a year', 1)} to the estimate"
        could = drift[0]["verdict"] == DIFFERS
        more = (
            "as much as the estimate itself, so a drift that went unseen cannot be ruled out as "
            "the explanation"
            if could
            else "less than the estimate, so an unseen drift alone could not explain it"
        )
        said.append(f"But {reason}: {more}." if found else f"The test is blunt: {reason}.")
    return " ".join(said)


def _breaks(rows: Sequence[Row], unit: str, *, found: bool) -> str:
    del unit, found
    reasons = dict.fromkeys(
        str(row["reason"]).rstrip(".") for row in rows if row.get("reason") and _tested([row])
    )
    said = "; ".join(reasons)
    return f"{said[:1].upper()}{said[1:]}." if said else _NOT_TESTABLE


def _early(rows: Sequence[Row], unit: str, *, found: bool) -> str:
    del found
    row = _tested(rows)[0]
    given = _shown(row, unit)
    if row["verdict"] == DIFFERS:
        return (
            f"There is one: with training pretended two years early the gap 'moves' by {given}, "
            "although nobody was trained yet."
        )
    return (
        "There is none to be seen: with training pretended two years early the gap 'moves' by "
        f"{given}."
    )


def _levels(rows: Sequence[Row], unit: str, *, found: bool) -> str:
    del found
    peers = next((row for row in rows if "peers" in str(row["variant"])), None)
    own = next((row for row in rows if "cohort" in str(row["variant"])), None)
    said = []
    if own is not None and _tested([own]):
        said.append(f"The cohort's own level moved by {_shown(own, unit)}.")
    if peers is not None and _tested([peers]):
        moved = peers["verdict"] == DIFFERS
        said.append(
            f"The peers' own level moved too, by {_shown(peers, unit)}: part of the change lies "
            "with them."
            if moved
            else f"Of the peers' own level no move is seen: {_shown(peers, unit)}."
        )
    return " ".join(said)


def _chance(rows: Sequence[Row], unit: str, *, found: bool) -> str:
    del unit
    said = []
    for row in _tested(rows):
        way = "the wild bootstrap" if row["estimator"] == "wild_cluster" else "dealing out by lot"
        said.append(f"{way} gives {_p(row)}")
    verdict = _verdict(rows)
    ends = {
        (AGREES, True): "more than chance",
        (AGREES, False): "as little as the primary test finds",
        (DIFFERS, True): "not more than chance, although the primary test finds an effect",
        (DIFFERS, False): "more than chance, although the primary test finds no effect",
    }
    joined = "; ".join(said)
    return f"{joined[:1].upper()}{joined[1:]}: {ends[verdict, found]}."


def _ranging(what: str) -> Callable[..., str]:
    """Return the answer of a check that repeats the estimate in several ways."""

    def answer(rows: Sequence[Row], unit: str, *, found: bool) -> str:
        del found
        tested = _tested(rows)
        other = [row for row in tested if row["verdict"] == DIFFERS]
        values = [value_of(row, "estimate") for row in tested if is_shown(row, "estimate")]
        span = ""
        if len(values) > 1:
            low, high = min(values), max(values)
            places = decimals_for(low, high)
            span = (
                f" Estimates go from {number(low, decimals=places, signed=True)} to "
                f"{amount(high, unit, decimals=places, signed=True)}."
            )
        elif values:
            span = f" It gives {_shown(tested[0], unit)}."
        if not other:
            return f"{what}{span}"
        names = listed([f"'{row['variant']}'" for row in other])
        return f"{len(other)} of {len(tested)} differ: {names}.{span}"

    return answer


def _children(rows: Sequence[Row], unit: str, *, found: bool) -> str:
    del unit, found
    tested, other = _tested(rows), [row for row in rows if row["verdict"] == DIFFERS]
    untested = len(rows) - len(tested)
    more = (
        f" {untested} further test{'s' if untested > 1 else ''} could not be made from these "
        "tables."
        if untested
        else ""
    )
    if other:
        names = listed([f"{row['variant']} ({_p(row)})".replace(" (log)", "") for row in other])
        return f"That may be so. Changed with training: {names}.{more}"
    return f"No such change is seen in {len(tested)} tests.{more}"


def _small(rows: Sequence[Row], unit: str, *, found: bool) -> str:
    del unit
    row = _tested(rows)[0]
    if row["verdict"] == DIFFERS:
        return (
            "That is so: the effect that the primary test finds is smaller than the smallest of "
            "interest."
        )
    if "is excluded" in str(row.get("reason") or ""):
        return "An effect as large as the smallest of interest, either way, is excluded."
    tail = "" if found else ": none is claimed here, and none is denied"
    return f"An effect as large as the smallest of interest is not excluded{tail}."


def _shown(row: Row, unit: str) -> str:
    return _estimate(row, unit) if is_shown(row, "estimate") else "an amount that is not shown"


_ANSWERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "a": _before,
        "b": _breaks,
        "c": _early,
        "d": _levels,
        "e": _chance,
        "f": _ranging("Whichever of them is left out, what remains agrees."),
        "g": _ranging("The others agree."),
        "h": _ranging("The estimate without them agrees."),
        "i": _ranging("Counting or comparing otherwise gives no other picture."),
        "j": _children,
        "k": _small,
    }
)
