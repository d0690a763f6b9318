-- The sums of every school, group and metric of an academic year.
SELECT
    s.unit_id,
    s.phase,
    c.group_code,
    k.metric,
    c.pupils,
    c.numerator,
    c.denominator,
    c.sum_yy,
    c.sum_xy,
    c.sum_xx,
    c.key_n,
    c.key_y
FROM (
    SELECT
        o.unit_number,
        o.group_code,
        o.code,
        CAST(SUM(o.pupils) AS BIGINT) AS pupils,
        CAST(SUM(o.numerator) AS BIGINT) AS numerator,
        CAST(SUM(o.denominator) AS BIGINT) AS denominator,
        CAST(SUM(o.sum_yy) AS BIGINT) AS sum_yy,
        CAST(SUM(o.sum_xy) AS BIGINT) AS sum_xy,
        CAST(SUM(o.sum_xx) AS BIGINT) AS sum_xx,
        CAST(SUM(o.key_n) AS BIGINT) AS key_n,
        CAST(SUM(o.key_y) AS BIGINT) AS key_y
    FROM cohort_outcomes_{rule} o
    GROUP BY o.unit_number, o.group_code, o.code
) c
JOIN cohort_units s ON c.unit_number = s.unit_number
JOIN cohort_metrics k ON c.code = k.code
