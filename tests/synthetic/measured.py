"""An authority's levels measured from its tables alone: dates compared with dates, no shortcuts."""

import numpy as np
import pandas as pd

from vsh_eval.synthetic import Authority

ORDER = ("CIN", "CPP", "CLA")


def groups(authority: Authority) -> pd.DataFrame:
    """Leaf group of every pupil and year by the rule 'at any time in the year', look-back six."""
    enrolments = authority.tables["enrolments"]
    pupil_years = enrolments[["pupil_id", "academic_year"]].drop_duplicates()
    episodes = authority.tables["episodes"].query("basis == 'episode'")
    both = pupil_years.merge(episodes, on="pupil_id")
    begins = pd.to_datetime((both["academic_year"] // 100).astype(str) + "-09-01")
    ends = pd.to_datetime((both["academic_year"] // 100 + 1).astype(str) + "-08-31")
    looks_back = pd.to_datetime((both["academic_year"] // 100 - 6).astype(str) + "-09-01")
    last = both["end_date"].fillna(pd.Timestamp("2100-01-01"))
    now = (both["start_date"] <= ends) & (last >= begins)
    before = (both["start_date"] < begins) & (last >= looks_back)
    both["rank"] = np.where(now, 1 + both["status"].map(ORDER.index), np.where(before, 0, -1))
    rank = both.groupby(["pupil_id", "academic_year"])["rank"].max().rename("rank")
    found = pupil_years.merge(rank.reset_index(), how="left").fillna({"rank": -1})
    names = {-1: "peers", 0: "previous", 1: "cin", 2: "cpp", 3: "cla"}
    return found.assign(group=found["rank"].map(names)).drop(columns="rank")


def attended(authority: Authority) -> pd.DataFrame:
    """Year sums of every pupil and URN in year groups 1 to 11, with group, phase and school."""
    tables = authority.tables
    keys = ["pupil_id", "academic_year", "urn"]
    sums = tables["attendance"].groupby(keys, sort=False)[
        ["sess_possible", "sess_authorised", "sess_unauthorised"]
    ]
    rows = sums.sum().reset_index().merge(tables["enrolments"], on=keys)
    rows = rows.merge(groups(authority), on=["pupil_id", "academic_year"])
    rows = rows.merge(tables["schools"][["urn", "phase", "pct_fsm"]], on="urn")
    rows["missed"] = rows["sess_authorised"] + rows["sess_unauthorised"]
    return rows[rows["year_group"].between(1, 11)]


def levels(rows: pd.DataFrame) -> dict[str, float]:
    possible = rows["sess_possible"]
    return {
        "overall": 100 * rows["missed"].sum() / possible.sum(),
        "unauthorised": 100 * rows["sess_unauthorised"].sum() / possible.sum(),
        "persistent": 100 * (10 * rows["missed"] >= possible).mean(),
        "severe": 100 * (2 * rows["missed"] >= possible).mean(),
    }
