"""A regression as a sum over schools: what other wild bootstraps are written for."""

from tests.effects.absorbed import Regression
from vsh_eval.numerics.inference.wild import Scores, pull


def of_regression(found: Regression) -> Scores:
    """Write the first coefficient of a regression with one regressor as a sum over schools."""
    implied = found.implied_weight[0]
    cleaned = found.residual_regressors[0]
    return Scores(
        estimate=float(found.coefficient[0]),
        own=(implied * found.residual_outcome).sum(axis=1),
        share=(implied * cleaned).sum(axis=1),
        implied_weight=implied,
        pulled=pull(found.effects, found.residual_outcome),
        pulled_by_effect=pull(found.effects, cleaned),
        stratum=found.effects.stratum,
    )
