"""What the returns hold, table by table."""

from tests.returns.tiny import TINY, changed, without
from vsh_eval.contracts import RETURNS
from vsh_eval.returns import profile


def test_every_table_is_described(opened):
    described = profile(opened(without("suspensions"))).set_index("table")

    assert described.index.tolist() == list(RETURNS)
    attendance = described.loc["attendance"]
    assert attendance.drop("years_missing").tolist() == ["csv", 27, 5, 3, 202122, 202223]
    training = described.loc["training"]
    assert (training["rows"], training["urns"]) == (2, 2)
    assert (training["first_year"], training["last_year"]) == (202122, 202122)
    assert described.loc["schools", ["pupils", "first_year", "last_year"]].isna().all()
    missing = described.loc["suspensions"]
    assert (missing["stored_as"], missing["rows"], missing["pupils"]) == ("", 0, 0)
    assert missing[["first_year"]].isna().all()


def test_years_without_a_row_are_named(opened):
    gone = {"0070001,CIN,2018-10-01,2019-05-01,episode\n": "", "2017-10-01": "2017-08-31"}
    text = TINY["episodes"]
    for old, new in gone.items():
        text = text.replace(old, new)
    episodes = profile(opened(changed("episodes", TINY["episodes"], text))).set_index("table")

    assert episodes.loc["episodes", "years_missing"] == "2017/18, 2018/19"
    assert episodes.loc["attendance", "years_missing"] == ""
