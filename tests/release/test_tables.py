import re
from datetime import date

import pandas as pd
import pytest

from tests.release.made import AUTHORITY, NAN, estimate_row, gap_rows, safe, spoken
from vsh_eval.contracts import ContractError, DisclosureError, produces
from vsh_eval.release.disclosure import release_table, rule_named
from vsh_eval.release.disclosure.safe_table import read_back
from vsh_eval.release.figures import draw_gap, draw_standing
from vsh_eval.release.files.open_data import write_table
from vsh_eval.release.files.workbook import write_workbook
from vsh_eval.release.pages.show import MARK, show_figure, show_statement, show_table, show_text
from vsh_eval.release.pages.tables import table_html
from vsh_eval.release.text.phrases.labels import index_label, is_missing, value_label
from vsh_eval.release.text.phrases.numbers import MINUS, cell_text, number, p_text


def test_a_table_has_a_caption_scopes_and_a_box_that_can_be_reached():
    html = table_html(safe(gap_rows()), caption="Gaps & <levels>", columns=["time_period", "gap"])
    assert "<caption>Gaps &amp; &lt;levels&gt;</caption>" in html
    assert html.count('<th scope="col"') == 2
    assert html.count('<th scope="row">') == 7
    assert '<th scope="row">2024/25</th><td class="number">11.6</td>' in html
    assert 'role="group" aria-label="Gaps &amp; &lt;levels&gt;" tabindex="0"' in html


def test_a_hidden_number_is_its_symbol_and_explained():
    html = table_html(safe(gap_rows(status="c")), caption="Gaps", columns=["time_period", "gap"])
    assert '<td class="number">c</td>' in html
    assert "c = suppressed to protect children&#x27;s confidentiality." in html
    assert "x = " not in html


def test_an_interval_has_the_decimals_of_its_number():
    scores = gap_rows("ks4_progress8", group=[-1.78] * 7, reference=[0.05] * 7)
    html = table_html(safe(scores), caption="Gaps", columns=["time_period", "gap", "gap_lower",
                                                             "gap_upper"])  # fmt: skip
    assert f"{MINUS}1.83</td>" in html
    assert f"{MINUS}2.83 to {MINUS}0.83</td>" in html
    numbers = {"estimate": -9.8, "ci_lower": -14.3, "ci_upper": -5.3}
    columns = ["metric", *numbers]
    for error, shown in ((2.3, f"{MINUS}14.3 to"), (23.0, f"{MINUS}14 to"), (0.2, ".30 to")):
        rows = safe([estimate_row(**numbers, std_error=error)])
        assert shown in table_html(rows, caption="Estimates", columns=columns)


def test_limits_beside_each_other_become_one_interval():
    html = table_html(
        safe([estimate_row(), estimate_row(role="secondary", ci_lower=NAN)]),
        caption="Estimates",
        columns=["role", "estimate", "ci_lower", "ci_upper", "p_value", "band_lower"],
    )
    assert '<th scope="col" class="number">95% interval</th>' in html
    assert f'<td class="number">{MINUS}2.60 to {MINUS}0.20</td>' in html
    assert "Simultaneous band, lower limit" in html
    assert '<td class="number">0.021</td>' in html


def test_labels_decimals_and_the_default_columns():
    html = table_html(
        safe(gap_rows()), caption="Gaps", labels={"gap": "Width"}, decimals={"gap": 3}, notes=False
    )
    assert ">Width<" in html
    assert ">11.600<" in html
    assert "Children with a social worker" in html
    assert "9,000" in html
    assert "Vintage" not in html
    narrow = table_html(
        safe(gap_rows()),
        caption="Gaps",
        columns=["time_period", "gap_lower", "gap_upper"],
        decimals={"gap_lower": 0},
    )
    assert "Gap, 95% interval" in narrow
    assert "11 to 13" in narrow


def test_a_stamp_and_the_notes_of_the_protection_stand_in_the_table():
    found = pd.DataFrame(
        {"check": ["terms"], "table": ["attendance"], "result": ["warn"], "rows": [3],
         "of_rows": [1201]}
    )  # fmt: skip
    findings = produces("findings", tuple(found), gate="sample")(lambda: found)
    shown = release_table(findings, rule=rule_named("cellkey"), stamp="SYNTHETIC")
    html = table_html(shown, caption="Findings")
    assert '<span class="stamp">SYNTHETIC</span>' in html
    assert "hidden (c) under 10" in html
    assert "Warning" in html
    assert ">3<" not in html


def test_only_safe_tables_and_columns_that_are_there():
    with pytest.raises(DisclosureError):
        table_html(gap_rows(), caption="Gaps")
    with pytest.raises(ContractError, match="lacks the column width"):
        table_html(safe(gap_rows()), caption="Gaps", columns=["width"])


def test_the_two_levels_are_headed_by_whose_they_are_where_that_is_one_group():
    rows = gap_rows()
    columns = ["time_period", "group_level", "reference_level"]
    html = table_html(safe(rows), caption="Gaps", columns=columns)
    assert ">Children with a social worker (%)<" in html
    assert ">Pupils without a social worker (%)<" in html
    mixed = rows.assign(group=["cwsw", "cin", *["cwsw"] * 5])
    assert ">This group<" in table_html(safe(mixed), caption="Gaps", columns=columns)


def test_of_measures_in_several_units_each_row_says_that_of_its_level_and_of_its_gap():
    row = {"unit": "%", "gap": 8.4, "change": 1.6, "direction": "widened", "status": ""}
    table = safe([
        {**row, "metric": "overall_absence"},
        {**row, "metric": "ks4_attainment8", "unit": "points", "direction": ""},
    ])  # fmt: skip
    html = table_html(table, caption="Changes", columns=["metric", "gap", "direction"])
    assert ">Overall absence (%; gap in percentage points)<" in html
    assert ">Attainment 8 (points)<" in html
    assert ">x<" in html, "no interval, and so no direction, is said"
    levels = table_html(table, caption="Levels", columns=["metric", "direction"])
    assert ">Overall absence (%)<" in levels


@pytest.mark.parametrize(
    "write",
    [
        lambda table, _: table_html(table, caption="Gaps"),
        lambda table, folder: write_workbook(
            {"Gaps": table}, folder / "gaps.xlsx", title="t", made=date(2026, 11, 29)
        ),
        lambda table, folder: write_table(table, folder, "widths", areas={}),
    ],
)
def test_a_column_that_is_not_declared_is_refused_by_name(write, tmp_path):
    rows = pd.DataFrame([{"metric": "overall_absence", "pupils_of_one_school": 3}])
    table = read_back(rows, "gaps", "", "cells")
    with pytest.raises(ContractError, match="column pupils_of_one_school has no role"):
        write(table, tmp_path)
    assert not any(tmp_path.iterdir())


def test_words_for_values():
    assert value_label("adopted", 0) == "never"
    assert value_label("programme", "my_own") == "My own"
    assert value_label("tier", None) == ""
    assert index_label("event", -2) == f"{MINUS}2"
    assert index_label("event", 0) == "0"
    assert index_label("cohort", 3) == "3"
    assert is_missing(pd.NaT)
    assert is_missing(pd.NA)
    assert not is_missing("c")


def test_numbers_as_readers_write_them():
    assert number(-1234.56) == f"{MINUS}1,234.6"
    assert number(0.0, signed=True) == "0.0"
    assert p_text(0.0004) == "<0.001"
    assert cell_text("index", {"index": NAN, "aggregation": "simple"}) == ""
    assert cell_text("result", {"result": True}) == "True"
    assert cell_text("rows", {"rows": pd.NA, "status": pd.NA}) == "x"


@pytest.fixture
def displayed(monkeypatch):
    caught = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **options: caught.append((data, options))
    )
    return caught


def test_a_figure_is_shown_with_its_texts_and_its_numbers(displayed):
    figure = draw_gap(safe(gap_rows()), metric="overall_absence")
    show_figure(figure)
    (image, options), (table, _) = displayed
    assert options["metadata"][MARK] == {"safe": True, "figure": figure.name}
    assert f'alt="{figure.alt}"' in image["text/html"]
    title, _, rest = figure.caption.partition(". ")
    assert f"<figcaption><strong>{title}.</strong> {rest}</figcaption>" in image["text/html"]
    assert table["text/html"].startswith(
        '<details><summary>Numbers of this chart<span class="unseen">: Gap in overall absence '
    )
    assert len(re.findall("<tr>", table["text/html"])) == 8


def test_the_numbers_of_a_chart_leave_out_what_is_never_there_and_name_areas(displayed):
    rows = gap_rows().assign(gap_lower=NAN, gap_upper=NAN, geographic_level="la")
    labels = {AUTHORITY: "Cheshire East"}
    metric = "overall_absence"
    show_figure(draw_gap(safe(rows), metric=metric))
    assert "95% interval" not in displayed[-1][0]["text/html"]
    show_figure(draw_standing(safe(rows), metric=metric, authority=AUTHORITY, labels=labels))
    assert displayed[-1][0]["text/html"].count('<th scope="row">Cheshire East</th>') == 1


def test_tables_texts_and_statements_are_marked_as_safe(displayed):
    show_table(safe(gap_rows()), spoken("Gaps"))
    show_text(spoken("The gap *widened*."), spoken("It is wide."))
    show_statement(spoken("The gap <widened>. Much."), spoken("By how much?"), "")
    assert all(options["metadata"][MARK]["safe"] for _, options in displayed)
    assert displayed[1][0]["text/markdown"] == "The gap *widened*. It is wide."
    message = "<strong>The gap &lt;widened&gt;.</strong> Much.</p><p>By how much?</p></div>"
    assert message in displayed[2][0]["text/html"]


def test_nothing_to_show_is_said_in_words(displayed):
    show_table(safe(gap_rows()).where(time_period=190001), spoken("Gaps of girls"))
    assert displayed[0][0]["text/markdown"] == "Gaps of girls: there is nothing that can be shown."
    hidden = safe(gap_rows(group=[NAN] * 7, reference=[NAN] * 7, status="c"))
    show_figure(draw_gap(hidden, metric="overall_absence"))
    assert displayed[-1][0]["text/markdown"] == "None of the numbers of this chart can be shown."


def test_tables_of_the_design_show_years_counts_and_figures_as_what_they_are():
    design = safe(
        [
            {"arm": "trained", "cohort_period": 202122, "base_period": 202021,
             "school_years_after": 1200, "trained_mean": 0.04567, "largest_share": 0.125},
            {
                "arm": "comparison",
                "cohort_period": 0,
                "base_period": 0,
                "school_years_after": 0,
                "trained_mean": 0.0,
                "largest_share": 1234.5,
            },
        ]
    )  # fmt: skip
    html = table_html(design, caption="Design")
    assert re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", html)[6:] == [
        *("Trained schools", "2021/22", "2020/21", "1,200", "0.0457", "0.125"),
        *("Comparison schools", "never", "z", "0", "0", "1,235"),
    ]
    assert "z = not applicable" in html
