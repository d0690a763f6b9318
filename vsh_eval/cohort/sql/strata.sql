-- The pupils and sums of every school, group, stratum and metric of a year, for each family of
-- strata. These rows never leave the room: some are about a single child.
SELECT
    1 AS family,
    u.place,
    o.group_code,
    o.code,
    f.stratum,
    CAST(SUM(o.pupils) AS BIGINT) AS pupils,
    CAST(SUM(o.numerator) AS BIGINT) AS numerator,
    CAST(SUM(o.denominator) AS BIGINT) AS denominator
FROM cohort_outcomes_0 o
JOIN cohort_units u ON o.unit_id = u.unit_id
JOIN cohort_make_up_strata f ON o.sen = f.sen AND o.fsm6 = f.fsm6 AND o.sex = f.sex
GROUP BY u.place, o.group_code, o.code, f.stratum
UNION ALL
SELECT
    2 AS family,
    u.place,
    o.group_code,
    o.code,
    f.stratum,
    CAST(SUM(o.pupils) AS BIGINT) AS pupils,
    CAST(SUM(o.numerator) AS BIGINT) AS numerator,
    CAST(SUM(o.denominator) AS BIGINT) AS denominator
FROM cohort_outcomes_0 o
JOIN cohort_units u ON o.unit_id = u.unit_id
JOIN cohort_key_stage_strata f ON o.year_group = f.year_group
GROUP BY u.place, o.group_code, o.code, f.stratum
