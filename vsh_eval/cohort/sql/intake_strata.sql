-- For each kind of cell, which stratum of it the pupils of some characteristics are in, and under
-- which cohort rule they are grouped. Cells: 1 of schools, 2 of schools under the other rule, 3 of
-- authorities and phases, 4 and 5 of schools by the families of strata.
SELECT 1 AS cells, 0 AS rule, characteristics, 0 AS stratum FROM cohort_characteristics
UNION ALL
SELECT 2 AS cells, 1 AS rule, characteristics, 0 AS stratum FROM cohort_characteristics
UNION ALL
SELECT 3 AS cells, 0 AS rule, characteristics, characteristics AS stratum
FROM cohort_characteristics
UNION ALL
SELECT
    4 AS cells,
    0 AS rule,
    c.characteristics,
    f.stratum
FROM cohort_characteristics c
JOIN cohort_make_up_strata f ON c.sen = f.sen AND c.fsm6 = f.fsm6 AND c.sex = f.sex
UNION ALL
SELECT
    5 AS cells,
    0 AS rule,
    c.characteristics,
    f.stratum
FROM cohort_characteristics c
JOIN cohort_key_stage_strata f ON c.year_group = f.year_group
