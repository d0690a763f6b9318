"""A folder of published files becomes one panel, or is refused in a sentence."""

import hashlib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frames import one_row
from tests.returns import published_example as example
from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, VintageError
from vsh_eval.returns.published import Published, read_published
from vsh_eval.returns.published.areas import AREA_COLUMNS, NEIGHBOUR_COLUMNS
from vsh_eval.returns.published.comparators import MEASURES, SOCIAL_CARE
from vsh_eval.returns.published.release import recognise
from vsh_eval.returns.published.symbols import (
    STRONGEST_FIRST,
    WRITTEN,
    numbers_and_symbols,
    strongest,
)

CHESHIRE = "E06000049"
NUMBERS = ["pupils", "numerator", "denominator", "rate"]
ABSENCE, KS4, LAIT = example.absence(), example.key_stage_4(), example.comparators()


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Published:
    return read_published(example.write(tmp_path_factory.mktemp("release")))


@pytest.fixture
def read(tmp_path):
    """Read the example with some of its files replaced."""

    def read_replaced(vintage=None, **replaced) -> Published:
        return read_published(example.write(tmp_path, **replaced), vintage=vintage)

    return read_replaced


def one(panel: pd.DataFrame, **keys) -> pd.Series:
    usual = {"unit_id": CHESHIRE, "phase": "total", "time_period": 202425}
    return one_row(panel, **usual | keys)


def with_cell(column: str, cell: str) -> pd.DataFrame:
    """Change one cell of Cheshire East's children in need in 2024/25."""
    at = (
        ABSENCE["new_la_code"].eq(CHESHIRE)
        & ABSENCE["time_period"].eq("202425")
        & ABSENCE["social_care_group"].str.startswith("CINO")
        & ABSENCE["phase_type_grouping"].eq("Total")
    )
    return ABSENCE.assign(**{column: ABSENCE[column].mask(at, cell)})


def without(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table.drop(columns=column)


# What is replaced in the folder, and what the sentence says.
REFUSED = {
    "no column of area": ({"absence": without(ABSENCE, "new_la_code")},
        r"^absence\.csv lacks the column new_la_code"),
    "no count": ({"absence": without(ABSENCE, "t_sess_overall")},
        r"^absence\.csv lacks the column t_sess_overall"),
    "no school type": ({"absence": without(ABSENCE, "phase_type_grouping")},
        r"^absence\.csv lacks the column phase_type_grouping"),
    "blank count": ({"absence": with_cell("t_pupils", "")},
        r"^absence\.csv: t_pupils is blank in 1 row"),
    "strange count": ({"absence": with_cell("t_pupils", "?")},
        r"^absence\.csv: t_pupils is '\?' in 1 row, must be a number or one of the symbols c, "),
    "no group": ({"key_stage_4": KS4.query("social_care_group != 'CPPO at 31 March'")},
        "social_care_group is nowhere 'cppo at 31 march'"),
    "parts of a year only": ({"absence": ABSENCE.assign(absence_terms="autumn term")},
        r"^absence\.csv: absence_terms is nowhere 'six half terms'"),
    "unknown school type": ({"absence": ABSENCE.assign(phase_type_grouping="Free school")},
        "phase_type_grouping is 'free school'"),
    "unknown level": ({"key_stage_4": KS4.assign(geographic_level="School")},
        r"^key_stage_4\.csv: geographic_level is 'School'"),
    "area without a code": ({"key_stage_4": KS4.replace({"new_la_code": {CHESHIRE: ""}})},
        "9 rows have no code"),
    "row twice": ({"key_stage_4": pd.concat([KS4, KS4.assign(version="Revised")])},
        "63 rows repeat an area"),
    "impossible year": ({"key_stage_4": KS4.assign(time_period="202427")},
        "time_period is '202427' in 63 rows, must be an academic year"),
    "no rows": ({"absence": ABSENCE.head(0)}, r"^absence\.csv holds no rows"),
    "comparators of no year": ({"comparators": LAIT.assign(Years="2014-16")},
        r"^comparators\.csv: Years is '2014-16'"),
    "comparators of year 0": ({"comparators": pd.concat([LAIT, LAIT.head(6).assign(Years="0",
        Values="1.5")])}, "Years is '0'"),
    "comparators without numbers of areas": ({"comparators": without(LAIT, "LA Number")},
        r"^comparators\.csv lacks the column LA Number"),
    "other measures": ({"comparators": LAIT.assign(**{"Short Desc": "InfMort"})},
        "holds no all-pupil measure"),
    "comparators twice": ({"comparators": pd.concat([LAIT, LAIT])}, "24 rows repeat a measure"),
    "blank comparator": ({"comparators": LAIT.assign(Values=LAIT["Values"].replace("8.44", ""))},
        "Values is blank in"),
    "nine neighbours": ({"neighbours": without(example.neighbours(), "SN_10P")},
        r"^neighbours\.csv lacks the column SN_10P"),
    "two files of one kind": ({"again": KS4.assign(version="Revised")},
        r"^again\.csv and key_stage_4\.csv are both the ks4 file of the 2024/25 release"),
    "comparators alone": ({"absence": None, "key_stage_2": None, "key_stage_4": None},
        "holds none of DfE's absence"),
    "two releases": ({"key_stage_4": KS4.query("time_period != '202425'")},
        r"^key_stage_4\.csv, the ks4 file, is of the 2023/24 release and the newest absence file "
        "of the 2024/25 release, must be of one release; download the ks4 file of the 2024/25 "
        "release into the folder too, or take every file of the 2024/25 release out of it"),
    "absence of an earlier release": ({"absence": ABSENCE.query("time_period != '202425'")},
        "download the absence file of the 2024/25 release into the folder too, or take every file "
        "of the 2024/25 release out of it"),
}  # fmt: skip


@pytest.mark.parametrize(("replaced", "words"), REFUSED.values(), ids=REFUSED)
def test_a_folder_that_cannot_be_trusted_is_refused(read, replaced, words):
    with pytest.raises(ContractError, match=words) as refused:
        read(**replaced)
    assert str(refused.value).endswith(".")


def test_a_folder_that_is_not_there_and_a_parquet_file_that_is_none_are_refused(tmp_path):
    with pytest.raises(ContractError, match="folder 'nowhere' is not there"):
        read_published(tmp_path / "nowhere")
    (tmp_path / "bds_long_0.parquet").write_text("version 1\noid sha256:0\n")
    with pytest.raises(ContractError, match=r"bds_long_0\.parquet is not a Parquet file inside"):
        read_published(tmp_path)


def test_a_folder_is_read_as_one_release(release):
    panel = release.panel
    assert release.vintage == "2024/25 release"
    assert tuple(panel.columns) == names.PANEL_COLUMNS
    assert str(panel["pupils"].dtype) == str(panel["denominator"].dtype) == "Int64"
    assert panel["time_period"].dtype == "int64"
    assert not panel.duplicated(list(names.PANEL_KEYS)).any()
    for column, value in {"vintage": "2024/25 release", "cohort_rule": "at_31_march"}.items():
        assert set(panel[column]) == {value}
    assert set(panel["group"]) == {"cin", "cpp", "cla", "all"}


@pytest.mark.parametrize(
    ("metric", "group", "numbers"),
    [
        ("overall_absence", "cin", [100, 174, 1000, 17.4]),
        ("authorised_absence", "cin", [100, 92, 1000, 9.2]),
        ("unauthorised_absence", "cin", [100, 82, 1000, 8.2]),
        ("persistent_absence", "cin", [100, 40, 100, 40.0]),
        ("severe_absence", "cin", [100, 12, 100, 12.0]),
        ("ks2_rwm_expected", "cpp", [30, 9, 30, 30.0]),
        ("ks4_attainment8", "cla", [20, 345.5, 20, 17.3]),
    ],
)
def test_counts_and_rates_are_as_written(release, metric, group, numbers):
    row = one(release.panel, group=group, metric=metric)
    assert row[NUMBERS].tolist() == numbers
    assert row["status"] == ""
    assert row[["sum_yy", "sum_xy", "sum_xx"]].isna().all()


def test_2019_20_is_not_available(release):
    rows = release.panel.query("time_period == 201920 and metric == 'overall_absence'")
    assert set(rows["status"]) == {"x"}
    assert set(rows["group"]) == {"cin", "cpp", "cla", "all"}
    assert rows[NUMBERS].isna().all(axis=None)


@pytest.mark.parametrize("name", ["State-funded AP school", "Pupil referral unit"])
def test_the_layout_of_an_earlier_release_reads_the_same(read, release, name):
    earlier = example.absence_of_an_earlier_release()
    earlier = earlier.replace({"school_type": {"State-funded AP school": name}})
    then = read("2023/24", earlier=earlier)
    counted = release.panel.query("group != 'all' and metric.str.endswith('absence')")
    now = counted.query("time_period != 202425").assign(vintage="2023/24 release")
    pd.testing.assert_frame_equal(now.reset_index(drop=True), then.panel)


@pytest.mark.parametrize("named", ["2023/24 release", "2023/24", "202324"])
def test_a_release_may_be_named(read, named):
    earlier = example.absence_of_an_earlier_release()
    assert read(named, earlier=earlier).vintage == "2023/24 release"


def test_a_release_that_is_named_must_be_there_and_the_newest_is_read_without_a_name(read):
    earlier = example.absence_of_an_earlier_release()
    assert read(earlier=earlier).vintage == "2024/25 release"
    with pytest.raises(VintageError, match=r"'2021/22 release'.*: 2023/24 release, 2024/25 rel"):
        read("2021/22 release", earlier=earlier)


def test_a_named_release_stands_alone_where_another_file_is_of_an_earlier_one(read):
    alone = read("2024/25", key_stage_4=KS4.query("time_period != '202425'"))
    assert "ks4_attainment8" not in set(alone.panel.query("group != 'all'")["metric"])


def test_what_a_file_counts_besides_is_read_where_its_columns_are(read, release):
    more = {"t_inp8calc": "18", "t_p8score": "-27", "avg_p8score": "-1.5"}
    hidden = {"t_l2basics_94": "c", "pt_l2basics_94": "c"}
    severe = ["t_pupils_pa_50_exact", "pt_pupils_pa_50_exact"]
    panel = read(
        key_stage_4=KS4.assign(**more, **hidden), absence=ABSENCE.drop(columns=severe)
    ).panel
    own, usual = set(panel["metric"]), set(release.panel["metric"])
    assert own - usual == {"ks4_progress8", "ks4_basics_94"}
    assert usual - own == {"severe_absence"}
    score = one(panel, group="cin", metric="ks4_progress8")
    assert score[NUMBERS].tolist() == [18, -27, 18, -1.5]
    basics = one(panel, group="cin", metric="ks4_basics_94")
    assert (basics["status"], basics["pupils"]) == ("c", 20)


@pytest.mark.parametrize(
    ("column", "cell", "metric", "status", "numerator"),
    [
        ("t_pupils_pa_10_exact", "c", "persistent_absence", "c", None),
        ("pt_sess_unauthorised", "k", "unauthorised_absence", "low", 82),
    ],
)
def test_a_number_that_is_not_shown_leaves_its_row_the_rest(
    read, column, cell, metric, status, numerator
):
    panel = read(absence=with_cell(column, cell)).panel
    row = one(panel, group="cin", metric=metric)
    assert (row["status"], row["pupils"]) == (status, 100)
    assert row["numerator"] == numerator or (numerator is None and pd.isna(row["numerator"]))
    other = one(panel, group="cin", metric="severe_absence")
    assert (other["status"], other["numerator"]) == ("", 12)


def test_rows_that_overlap_and_their_order_change_nothing(read, release):
    wider = KS4.loc[KS4["social_care_group"].str.startswith("CINO")]
    empty = LAIT.head(6).assign(Years="0", Values="-")
    again = read(
        absence=pd.concat([ABSENCE.assign(absence_terms="autumn term"), ABSENCE.iloc[::-1]]),
        key_stage_4=pd.concat([KS4, wider.assign(social_care_group="CIN at 31 March")]),
        comparators=pd.concat([LAIT.sample(frac=1, random_state=1), empty]),
    )
    pd.testing.assert_frame_equal(again.panel, release.panel)


# --- All pupils


def test_all_pupils_have_rates_and_no_counts_where_the_release_has_the_area(release):
    everyone = release.panel.query("group == 'all'")
    assert everyone[list(names.PANEL_SUMS)].isna().all(axis=None)
    england = everyone.query("unit_id == 'E92000001' and time_period == 202425")
    assert england.set_index(["metric", "phase"])["rate"].to_dict() == {
        ("overall_absence", "total"): 6.78,
        ("overall_absence", "secondary"): 8.44,
        ("ks4_attainment8", "total"): 46.0,
    }
    assert set(everyone["unit_id"]) == {"E92000001", "E12000002", "E12000007", CHESHIRE}


@pytest.mark.parametrize("year", ["2024/25", "2025 (Rev)"])
def test_a_year_may_be_written_in_several_ways_and_the_file_be_parquet(tmp_path, year):
    folder = example.write(tmp_path, comparators=None)
    table = LAIT.query("Years == '2025'").assign(Years=year)
    table.assign(**{"LA Number": table["LA Number"].astype(float)}).to_parquet(folder / "l.parquet")
    panel = read_published(folder).panel.query("group == 'all'")
    assert set(panel["time_period"]) == {202425}
    assert CHESHIRE in set(panel["unit_id"])


def test_the_release_of_comparators_is_that_of_their_last_absence(tmp_path):
    newer = LAIT.query("`Short Desc` == 'AVG_Attain8_Score'").assign(Years="2026")
    for table, vintage in ((pd.concat([LAIT, newer]), "2024/25"), (newer, "2025/26")):
        table.to_csv(tmp_path / "lait.csv", index=False)
        (found,) = recognise(tmp_path)
        assert found.vintage == f"{vintage} release"


def test_every_measure_is_a_metric_of_the_registry_and_stands_once():
    own = {name for name, m in registry.METRICS.items() if m.ranks or m.topic == "moves"}
    assert {metric for metric, _ in MEASURES.values()} == set(registry.METRICS) - own
    assert len(set(MEASURES.values())) == len(MEASURES)
    assert {metric for metric, _ in SOCIAL_CARE.values()} <= set(registry.METRICS)
    assert len(set(SOCIAL_CARE.values())) == len(SOCIAL_CARE)


def test_groups_of_children_in_need_stand_beside_all_pupils_from_the_releases_first_year(read):
    row = LAIT.query("`Short Desc` == 'TotAbs' and Years == '2025'")
    measures = {"Total_ Pup_FixedEx": "4.04", "CINFixedExclusion": "14.24", "LAC_Fixed_ Ex": "14.5"}
    more = [
        row.assign(**{"Short Desc": short, "Values": value, "Years": year})
        for short, value in measures.items()
        for year in ("2018", "2024")
    ]
    panel = read(comparators=pd.concat([LAIT, *more])).panel
    found = panel.query("unit_id == 'E92000001' and metric == 'pupils_suspended'")
    assert found.set_index(["group", "time_period"])["rate"].to_dict() == {("all", 201718): 4.04,
        ("all", 202324): 4.04, ("cin", 202324): 14.24, ("cla", 202324): 14.5}  # fmt: skip
    assert set(found["phase"]) == {"total"}


# --- Areas, neighbours and files


def test_areas_are_listed_once_and_boroughs_lie_in_london(release):
    assert tuple(release.areas.columns) == AREA_COLUMNS
    listed = release.areas.set_index("unit_id")
    assert listed.index.is_unique
    assert listed["level"].value_counts().to_dict() == {"region": 3, "la": 3, "national": 1}
    assert listed.loc["E09000007"].tolist() == ["Camden", "202", "la", "E12000007", "London"]
    assert listed.loc["E13000001"].tolist() == ["Inner London", "", "region", "E12000007", "London"]
    assert listed.loc["E92000001"].tolist() == ["England", "", "national", "", ""]
    assert set(release.panel.query("level == 'region'")["unit_id"]) == {"E12000002", "E12000007"}


def test_an_area_has_the_name_it_last_had(read):
    old = ABSENCE["time_period"].eq("201920") & ABSENCE["new_la_code"].eq("E06000050")
    areas = read(absence=ABSENCE.assign(la_name=ABSENCE["la_name"].mask(old, "Chester"))).areas
    assert areas.set_index("unit_id").loc["E06000050", "name"] == "Cheshire West and Chester"


def test_a_pair_of_known_authorities_is_a_row(read):
    near = read(
        neighbours=example.neighbours().assign(SN_3="202", SN_3P="Somewhat close ")
    ).neighbours
    assert near.to_numpy().tolist() == [
        [CHESHIRE, "E06000050", 1, "Very close"],
        [CHESHIRE, "E09000007", 3, "Somewhat close"],
    ]


def test_without_comparators_and_neighbours_the_counts_are_there(read):
    plain = read(comparators=None, neighbours=None)
    assert set(plain.panel["group"]) == {"cin", "cpp", "cla"}
    assert plain.neighbours.empty
    assert tuple(plain.neighbours.columns) == NEIGHBOUR_COLUMNS


def test_attainment_alone_is_a_release(read):
    assert read(absence=None, comparators=None).vintage == "2024/25 release"


def test_files_are_known_by_their_headers_and_a_second_copy_is_one_file(tmp_path):
    for folder in (tmp_path / "deep" / "down", tmp_path / "too", tmp_path / ".cache"):
        example.write(folder)
    (tmp_path / "a.csv").write_text("urn,name\n1,A\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "absence.txt").write_text("social_care_group,t_sess_possible\n")
    (tmp_path / "old.csv").write_bytes("Straße,social_care_group\n".encode("cp1252"))
    found = recognise(tmp_path)
    assert [(file.role, file.name, file.rows, file.vintage) for file in found] == [
        ("absence", "deep/down/absence.csv", 189, "2024/25 release"),
        ("ks2", "deep/down/key_stage_2.csv", 63, "2024/25 release"),
        ("ks4", "deep/down/key_stage_4.csv", 63, "2024/25 release"),
        ("comparators", "deep/down/comparators.csv", 30, "2024/25 release"),
        ("neighbours", "deep/down/neighbours.csv", 1, ""),
    ]
    for file in found:
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = example.write(tmp_path) / "absence.csv"
    path.write_text(path.read_text() + '"E0600')
    with pytest.raises(ContractError, match=r"absence\.csv cannot be read, every line must have"):
        read_published(tmp_path)


# --- Symbols


def column(*cells: str) -> pd.Series:
    return pd.Series(cells, name="t_pupils", dtype="str")


def test_every_symbol_of_every_release_is_read():
    written = ("c", "x", "z", "low", "u", "k", "~", ":", " C ", "0", "-")
    numbers, symbols = numbers_and_symbols(column(*written), origin="a.csv", also=(("-", "x"),))
    assert symbols.tolist() == ["c", "x", "z", "low", "u", "low", "low", "x", "c", "", "x"]
    assert numbers.isna().tolist() == [True] * 9 + [False, True]


@pytest.mark.parametrize("cell", ["-", "nan", "inf", "1,200", "*"])
def test_what_is_neither_number_nor_symbol_is_refused(cell):
    with pytest.raises(ContractError, match=r"t_pupils is .* in 1 row, must be a number"):
        numbers_and_symbols(column("1", cell), origin="a.csv")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 10**9).map(str), st.sampled_from(list(WRITTEN)))))
def test_a_cell_is_a_number_or_a_symbol_and_never_both(cells):
    numbers, symbols = numbers_and_symbols(column(*cells), origin="a.csv")
    assert (numbers.isna() == symbols.ne("")).all()
    assert set(symbols) <= {"", *names.SYMBOLS}


def test_the_strongest_symbol_stands():
    assert set(STRONGEST_FIRST) == set(names.SYMBOLS)
    for place, symbol in enumerate(STRONGEST_FIRST):
        weaker = ["", *STRONGEST_FIRST[place:]]
        own = column(*[symbol] * len(weaker))
        assert set(strongest(column(*weaker), own)) == {symbol}
        assert set(strongest(own, column(*weaker))) == {symbol}
