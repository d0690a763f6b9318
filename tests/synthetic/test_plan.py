import pytest

from vsh_eval.contracts import ContractError
from vsh_eval.synthetic import Plan


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schools": 9}, "schools is 9"),
        ({"schools": 20.0}, "schools is 20.0"),
        ({"schools": True}, "schools is True"),
        ({"seed": -1}, "seed is -1"),
        ({"effect": -21.0}, "effect is -21.0"),
        ({"effect": float("nan")}, "effect is nan"),
        ({"cohort_per_school": 0.2}, "cohort_per_school is 0.2"),
        ({"share_trained": 1.0}, "share_trained is 1.0"),
        ({"growth_after_training": -0.5}, "growth_after_training is -0.5"),
        ({"first": 201516}, "years are 2015/16 to 2024/25"),
        ({"first": 202425}, "years are 2024/25 to 2024/25"),
        ({"first": 202224}, "academic year is 202224"),
        ({"adoption": ()}, "adoption is empty"),
        ({"adoption": (202122, "2021/22")}, "each academic year once"),
        ({"adoption": (201617,)}, "adoption holds 2016/17"),
        ({"last": 202223, "adoption": (202324,)}, "adoption holds 2023/24"),
    ],
)
def test_a_plan_that_cannot_be_invented_is_refused_in_one_sentence(given, said):
    with pytest.raises(ContractError, match=r"must (be|name|lie)") as refused:
        Plan(**given)
    assert said in str(refused.value)
    assert str(refused.value).endswith(".")


def test_years_are_read_in_every_written_form():
    plan = Plan(first="2018/19", last="2023-24", adoption=("2022/23", 202122))
    assert (plan.first, plan.last, plan.adoption_years) == (201819, 202324, (202122, 202223))
    assert plan.years[0] == 201819
    assert plan.years[-1] == 202324


@pytest.mark.parametrize(
    ("given", "adoption"),
    [
        ({}, (202122, 202223, 202324)),
        ({"last": 202223}, (202122, 202223)),
        ({"last": 201920}, (201920,)),
    ],
)
def test_usual_adoption_years_keep_within_the_plan(given, adoption):
    assert Plan(**given).adoption_years == adoption
