"""From schools' gaps to estimates of what training did, one module a question.

`sample`
    Which school-years are compared, what is excluded, what the design could detect.
`estimators`
    The primary estimator, `estimators.impute`, the second, `estimators.same_past`, and those
    beside them.
`inference`
    How much could be chance, and what the method says where the answer is known.
`sensitivity`
    Everything that could change our mind: checks, specifications, subgroups, trends.
`specification`
    `Study`, the question, and `Specification`, one way to put it.
`evidence`
    The statement that follows from all of it by printed rules, `evidence.judge`.
`value`
    What the training cost for what it changed, `value.cost_effectiveness`.
`pooling`
    Several authorities together: meta-analysis of what they release.
`published`
    One authority's offer against others', from DfE's published tables.
`rows`
    The columns of every table of estimates.
"""

from vsh_eval.effects import (
    estimators,
    evidence,
    inference,
    pooling,
    published,
    rows,
    sample,
    sensitivity,
    specification,
    value,
)
