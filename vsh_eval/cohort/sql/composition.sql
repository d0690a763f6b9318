-- The same sums of every authority, phase, group, stratum of pupils and metric of a year.
SELECT
    o.la_code AS unit_id,
    o.phase,
    o.standing,
    o.metric,
    o.sen,
    o.fsm6,
    o.sex,
    o.year_group,
    COUNT(*) AS pupils,
    CAST(SUM(o.y) AS BIGINT) AS numerator,
    CAST(SUM(o.x) AS BIGINT) AS denominator,
    CAST(SUM(o.y * o.y) AS BIGINT) AS sum_yy,
    CAST(SUM(o.x * o.y) AS BIGINT) AS sum_xy,
    CAST(SUM(o.x * o.x) AS BIGINT) AS sum_xx
FROM cohort_outcomes o
GROUP BY o.la_code, o.phase, o.standing, o.metric, o.sen, o.fsm6, o.sex, o.year_group
