"""Every check of the returns: what must or should hold; and what an analyst can do about it.

A rule that says *must* stops the run, any other warns. ``{table}`` and ``{columns}`` are filled in.
"""

from collections.abc import Mapping

from vsh_eval.returns.checks import examinations as examine
from vsh_eval.returns.checks import params, schools
from vsh_eval.returns.checks.inspection import Check, Stage, counted, each_of, where
from vsh_eval.returns.checks.joins import LOOK_BACK, joined
from vsh_eval.returns.checks.years import MOST_SESSIONS

_FIRST_TRAINING_YEAR = 2014
_FIRST_EPISODE_YEAR = 1990

CHECKS: Mapping[Stage, Mapping[str, Check]] = {
    "tables": {
        "rows_there": Check(
            "The table {table} must hold rows; export it again, or ask who keeps it",
            examine.rows_there,
        )
    },
    "values": {
        "values_filled": Check(
            "In {table}, every row must have a value in {columns}; fill the blanks where the "
            "data are kept",
            examine.filled,
        ),
        "episodes_identified": Check(
            "In {table}, {columns} should be filled in; rows without one are left out: ask the "
            "social care team for the children's UPNs, as those left out pass for peers",
            examine.episodes_identified,
        ),
        "values_readable": Check(
            "In {table}, {columns} must be written as the contract says; correct them where the "
            "data are kept",
            examine.readable,
        ),
        "values_allowed": Check(
            "In {table}, {columns} must be one of the words allowed; recode the others, capitals "
            "count",
            examine.allowed,
        ),
        "values_in_range": Check(
            "In {table}, {columns} must lie in the range allowed; correct or blank out what "
            "cannot be",
            examine.in_range,
        ),
        "identifiers_whole": Check(
            "In {table}, {columns} must hold whole identifiers; export the column as text, as a "
            "spreadsheet has shortened it (1.2E+11) or a word such as NULL stands in for a blank",
            examine.whole_identifiers,
        ),
        "programmes_declared": Check(
            "In {table}, programme must be a declared one; correct the word, or declare it in "
            "params under exposure.programmes",
            examine.programmes,
        ),
        "courses_known": Check(
            "In {table}, each course of the log should be a programme, as a school trained in one "
            "that is left out passes for untrained; give those that belong to the offer a synonym "
            "under source.files.training.synonyms, or declare them in the params under "
            "exposure.programmes; nothing needs doing for the others",
            examine.courses,
        ),
        "measures_known": Check(
            "In {table}, measure must be one that the registry knows; rename it, or leave its "
            "rows out",
            examine.measures,
        ),
        "covariates_numeric": Check(
            "In {table}, a further column should hold numbers throughout to be a covariate; "
            "blank out its words if it is needed; it is ignored until then",
            examine.covariates,
        ),
    },
    "rows": {
        "keys_unique": Check(
            "In {table}, a row must be the only one with its {columns}; keep one of the rows "
            "that share them",
            examine.unique,
        ),
        "dates_in_order": Check(
            "In {table}, {columns} must follow each other; correct the date that is wrong, and "
            "leave an open end blank",
            each_of(
                where("schools", "closed < opened", "opened closed"),
                where("episodes", "end_date < start_date", "start_date end_date"),
            ),
        ),
        "sessions_add_up": Check(
            "In {table}, sess_authorised and sess_unauthorised together must not exceed "
            "sess_possible; export the sessions again from the register of the term",
            where(
                "attendance",
                "sess_authorised + sess_unauthorised > sess_possible",
                "sess_possible sess_authorised sess_unauthorised",
            ),
        ),
        "attainment_in_range": Check(
            "In {table}, value must be one that its measure can have; give shares a pupil as 0 "
            "or 1, not in per cent, and leave out pupils without a result",
            examine.attainment_values,
        ),
        "sessions_of_a_year": Check(
            f"In {{table}}, a pupil's year must not sum to more than {MOST_SESSIONS} "
            "sessions; give the sessions of each term alone, not those of the year to date",
            examine.at_one_school,
        ),
        "sessions_of_two_schools": Check(
            f"In {{table}}, a pupil's year at several schools should not sum to more than "
            f"{MOST_SESSIONS} sessions; leave out those of a subsidiary registration, as "
            "each session counts at one school",
            examine.at_two_schools,
        ),
        "spells_closed": Check(
            "In {table}, spells of need and protection should not stay open for more than "
            f"{examine.LONG_OPEN} years or beyond school age; fill in end_date, for a "
            "referral that ended without further action with the day of that decision, else the "
            "child counts as in need in every later year",
            examine.spells_closed,
        ),
        "training_dates_plausible": Check(
            f"In {{table}}, start_date should be in {_FIRST_TRAINING_YEAR} or later and at most a "
            "year ahead; correct the year of the date, if it is wrong",
            where(
                "training",
                f"year(start_date) < {_FIRST_TRAINING_YEAR} OR start_date > today() + 365",
                "start_date",
            ),
        ),
        "episode_dates_plausible": Check(
            f"In {{table}}, dates should be in {_FIRST_EPISODE_YEAR} or later and not in the "
            "future; correct the year of the date, and leave an open end blank",
            where(
                "episodes",
                f"year(start_date) < {_FIRST_EPISODE_YEAR} "
                "OR greatest(start_date, end_date) > today()",
                "start_date end_date",
            ),
        ),
        "dates_vary": Check(
            "In {table}, start_date should be each record's own; see whether the day that so "
            "many share is when records were loaded or moved to a new system",
            examine.dates_vary,
        ),
        "one_school_a_term": Check(
            "In {table}, a pupil is usually registered at one school in a term; nothing needs "
            "doing if they moved, as sessions count where they were registered",
            examine.one_school_a_term,
        ),
    },
    "links": {
        "schools_known": Check(
            "In {table}, urn must be in schools, or in school_links if it has a successor; add "
            "the school to schools, or its link to school_links",
            joined("schools_known"),
        ),
        "successors_known": Check(
            "In {table}, successor_urn must be in schools, or lead on to one that is; add the "
            "successor to schools",
            counted(
                "FROM {table} t ANTI JOIN "
                "(FROM schools SELECT urn UNION FROM school_links SELECT urn) k "
                "ON t.successor_urn = k.urn SELECT count(*) WHERE t.successor_urn IS NOT NULL",
                "school_links",
                "successor_urn",
            ),
        ),
        "links_lead_on": Check(
            "In {table}, links must not lead back to the school they start from; remove the link "
            "that points to an older number",
            counted(
                "WITH RECURSIVE walk AS (FROM {table} SELECT urn AS first, successor_urn AS here "
                "UNION FROM walk JOIN {table} l ON walk.here = l.urn "
                "SELECT first, l.successor_urn) FROM walk SELECT count_if(first = here)",
                "school_links",
                "urn successor_urn",
            ),
        ),
        "one_successor": Check(
            "In {table}, a school should have one successor; keep the link to the school that "
            "most pupils went to",
            counted(
                "FROM (FROM {table} SELECT count(*) AS n GROUP BY urn "
                "HAVING count(DISTINCT successor_urn) > 1) SELECT sum(n)",
                "school_links",
                "urn successor_urn",
            ),
        ),
        "schools_continued": Check(
            "In {table}, a school whose pupils go on together to a new URN should have a link; add "
            "it to school_links, or a trained school counts as two, the second untrained",
            schools.schools_continued,
        ),
        "identifiers_alike": Check(
            "In {table}, {columns} must be written as in enrolments; write capitals and leading "
            "zeros alike, as identifiers that differ in nothing else do not match",
            examine.identifiers_alike,
        ),
        "pupils_enrolled": Check(
            "In {table}, a pupil must be one of enrolments in the same academic_year; add the "
            "enrolment, which says the pupil's year group, or leave the rows out",
            joined("pupils_enrolled"),
        ),
        "episodes_enrolled": Check(
            "In {table}, most children should be among enrolments; make sure that both tables use "
            "one identifier, as only children under five or at school elsewhere may be missing",
            joined("episodes_enrolled"),
        ),
        "basis_there": Check(
            "In {table}, children in need should have rows of the basis that the params ask for; "
            "set cohort.basis to the one that the rows have, or export the rows of that basis",
            joined("basis_there"),
        ),
        "enrolments_attended": Check(
            "In {table}, a pupil aged 5 to 15 should have attendance in the same academic_year; "
            "see which school's or year's registers are missing, as pupils without sessions do not "
            "count",
            joined("enrolments_attended"),
        ),
        "training_attended": Check(
            "In {table}, trained schools should have attendance; correct the URNs of the log, or "
            "add the registers, as such a school shows no effect",
            joined("training_attended"),
        ),
        "year_group_of_measure": Check(
            "In {table}, measure should belong to the pupil's year_group in enrolments; correct "
            "the year group if it is wrong, as the other rows do not count",
            examine.year_group_of_measure,
        ),
    },
    "years": {
        "years_attended": Check(
            "In {table}, there should be rows for every academic year asked for in which they "
            "were collected; add the year, or ask for fewer in params under years",
            examine.years_attended,
        ),
        "terms_whole": Check(
            "In {table}, an academic year must have its three terms; add the missing term, which "
            "the school census of the next term holds, or leave the year out in params under "
            "years, as a part of a year is never compared with whole ones",
            examine.terms_whole,
        ),
        "terms_of_schools": Check(
            "In {table}, a school should have sessions in each term that other schools have; "
            "add the registers that are missing, as a year without a term is not like the others",
            schools.terms_of_schools,
        ),
        "years_usable": Check(
            "In {table}, there should be no rows of years in which nothing was collected in "
            "full; leave them, as they are ignored",
            examine.years_usable,
        ),
        "years_measured": Check(
            "In {table}, a measure should have rows for every academic year in which it was "
            "taken; add the year's results, or leave the gap: that year is not shown",
            examine.years_measured,
        ),
        "years_suspended": Check(
            "In {table}, there should be rows for every academic year asked for; add the year, "
            "or leave the gap: nothing is not zero, and that year is not shown",
            examine.years_suspended,
        ),
        "episodes_reach_back": Check(
            f"In {{table}}, closed ones should reach {LOOK_BACK} years back before the "
            f"first year; export closed episodes too, or some children who had a social worker "
            f"pass for peers",
            examine.episodes_reach_back,
        ),
    },
    "params": {
        "authority_asked": Check(
            "In {table}, la_code should be that of the authority in the params; correct "
            "authority.code (nine characters, E06000049) if it is wrong; schools of other "
            "authorities, with their pupils, count only where cohort.schools is all",
            params.authority,
        ),
        "covariates_asked": Check(
            "In {table}, the covariates of the protocol must be numeric columns; correct the name "
            "in the params under protocol.covariates, or add the column",
            params.covariates,
        ),
        "programmes_asked": Check(
            "In {table}, the programmes that the params ask for must be trained somewhere; correct "
            "the word in the params under exposure.programmes",
            params.programmes,
        ),
        "baseline_asked": Check(
            "In {table}, there must be rows of the baseline year; name a year of the data in the "
            "params under years.baseline",
            params.baseline,
        ),
    },
}
"""By stage, in their order; a later stage may assume what an earlier one checks."""
