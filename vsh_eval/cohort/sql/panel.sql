-- The sums of every school, group and metric of an academic year.
SELECT
    o.unit_id,
    o.phase,
    o.standing,
    o.metric,
    COUNT(*) AS pupils,
    CAST(SUM(o.y) AS BIGINT) AS numerator,
    CAST(SUM(o.x) AS BIGINT) AS denominator,
    CAST(SUM(o.y * o.y) AS BIGINT) AS sum_yy,
    CAST(SUM(o.x * o.y) AS BIGINT) AS sum_xy,
    CAST(SUM(o.x * o.x) AS BIGINT) AS sum_xx
FROM cohort_outcomes o
GROUP BY o.unit_id, o.phase, o.standing, o.metric
