"""What DfE's published tables can bear, for one authority."""

from collections.abc import Iterator, Sequence

import pandas as pd

from vsh_eval import academic_year, registry
from vsh_eval.returns.checks.inspection import Answer, listed, worded
from vsh_eval.returns.published import Published
from vsh_eval.returns.reorganised import formed_of

_METRICS = {
    "attendance": ("overall_absence",),
    "attainment": ("ks2_rwm_expected", "ks4_attainment8"),
}
"""The metrics whose figures each question rests on."""
SENTENCES = {
    "years_published": "In {table}, the published files should have figures of every year asked "
    "for; leave the other years out of the params, or fetch a release that has them",
    "rows_there": "The published files should have figures of {table}; add the file that has them",
    "offer_named": "The params should name the first academic year of the training offer; write it "
    "as published.offer_start if its effect is to be estimated",
}


def check_published(
    published: Published, code: str, *, years: Sequence[int], offer_start: int | None
) -> pd.DataFrame:
    """Check one authority's published figures, as `check` does returns.

    Parameters
    ----------
    published : Published
        From `read_published`.
    code : str
        The authority's nine-character code.
    years : sequence of int
        The academic years that the evaluation asks for, such as 202425.
    offer_start : int or None
        The first academic year of the authority's offer; None where its effect is not asked.

    Returns
    -------
    DataFrame
        In the columns of `check`; ``rows`` are years of a metric that are not there.

    Raises
    ------
    ContractError
        If the files hold no such authority.
    """
    answers = [
        *_figures(published, code, years),
        ("offer_named", Answer("training", int(offer_start is None), 1, ("offer_start",))),
    ]
    return pd.DataFrame(
        row for name, answer in answers for row in worded(SENTENCES[name], name, [answer])
    )


def _figures(published: Published, code: str, years: Sequence[int]) -> Iterator[tuple[str, Answer]]:
    """See whether there are figures of every year in which a metric was collected."""
    for table, metrics in _METRICS.items():
        wanted = {
            metric: set(years) - set(registry.years_without_data(metric)) for metric in metrics
        }
        lacking = {
            metric: sorted(requested - {*published.years_of(code, metric)})
            for metric, requested in wanted.items()
        }
        of, rows = (sum(map(len, each.values())) for each in (wanted, lacking))
        if rows == of:
            yield "rows_there", Answer(table, 0, 0, result="warn")
            continue
        named = [
            f"{metric} of {academic_year.label(year)}"
            for metric, missing in lacking.items()
            for year in missing
        ]
        detail = f", and {listed(named)} is missing{_since(code)}" if named else ""
        yield "years_published", Answer(table, rows, of, ("time_period",), detail)


def _since(code: str) -> str:
    """Say since when an authority that was formed of others has figures of its own."""
    formed = formed_of(code)
    if formed is None:
        return ""
    return (
        f" ({code} was formed on {formed.day.day} {formed.day:%B %Y}, and figures of "
        f"{listed(formed.before)} are those of another area)"
    )
