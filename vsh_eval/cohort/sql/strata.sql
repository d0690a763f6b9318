-- The pupils and sums of every school, group, stratum and metric of a year, for each family of
-- strata. These rows never leave the room: some are about a single child.
SELECT
    1 AS family,
    o.unit_number,
    o.group_code,
    o.code,
    f.stratum,
    CAST(SUM(o.pupils) AS BIGINT) AS pupils,
    CAST(SUM(o.numerator) AS BIGINT) AS numerator,
    CAST(SUM(o.denominator) AS BIGINT) AS denominator
FROM cohort_outcomes_0 o
JOIN cohort_characteristics c ON o.characteristics = c.characteristics
JOIN cohort_make_up_strata f ON c.sen = f.sen AND c.fsm6 = f.fsm6 AND c.sex = f.sex
GROUP BY o.unit_number, o.group_code, o.code, f.stratum
UNION ALL
SELECT
    2 AS family,
    o.unit_number,
    o.group_code,
    o.code,
    f.stratum,
    CAST(SUM(o.pupils) AS BIGINT) AS pupils,
    CAST(SUM(o.numerator) AS BIGINT) AS numerator,
    CAST(SUM(o.denominator) AS BIGINT) AS denominator
FROM cohort_outcomes_0 o
JOIN cohort_characteristics c ON o.characteristics = c.characteristics
JOIN cohort_key_stage_strata f ON c.year_group = f.year_group
GROUP BY o.unit_number, o.group_code, o.code, f.stratum
