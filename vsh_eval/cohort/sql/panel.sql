-- The sums of every school, group and metric of an academic year.
SELECT
    c.unit_id,
    s.phase,
    c.standing,
    k.metric,
    c.pupils,
    c.numerator,
    c.denominator,
    c.sum_yy,
    c.sum_xy,
    c.sum_xx
FROM (
    SELECT
        o.unit_id,
        o.standing,
        o.code,
        CAST(SUM(o.pupils) AS BIGINT) AS pupils,
        CAST(SUM(o.numerator) AS BIGINT) AS numerator,
        CAST(SUM(o.denominator) AS BIGINT) AS denominator,
        CAST(SUM(o.sum_yy) AS BIGINT) AS sum_yy,
        CAST(SUM(o.sum_xy) AS BIGINT) AS sum_xy,
        CAST(SUM(o.sum_xx) AS BIGINT) AS sum_xx
    FROM cohort_outcomes o
    GROUP BY o.unit_id, o.standing, o.code
) c
JOIN cohort_units s ON c.unit_id = s.unit_id
JOIN cohort_metrics k ON c.code = k.code
