-- The same sums of every authority, phase, group, stratum of pupils and metric of a year.
SELECT
    c.la_code AS unit_id,
    c.phase,
    c.group_code,
    k.metric,
    t.sen,
    t.fsm6,
    t.sex,
    t.year_group,
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
        s.la_code,
        s.phase,
        o.group_code,
        o.code,
        o.characteristics,
        CAST(SUM(o.pupils) AS BIGINT) AS pupils,
        CAST(SUM(o.numerator) AS BIGINT) AS numerator,
        CAST(SUM(o.denominator) AS BIGINT) AS denominator,
        CAST(SUM(o.sum_yy) AS BIGINT) AS sum_yy,
        CAST(SUM(o.sum_xy) AS BIGINT) AS sum_xy,
        CAST(SUM(o.sum_xx) AS BIGINT) AS sum_xx,
        CAST(SUM(o.key_n) AS BIGINT) AS key_n,
        CAST(SUM(o.key_y) AS BIGINT) AS key_y
    FROM cohort_outcomes_0 o
    JOIN cohort_units s ON o.unit_number = s.unit_number
    GROUP BY s.la_code, s.phase, o.group_code, o.code, o.characteristics
) c
JOIN cohort_metrics k ON c.code = k.code
JOIN cohort_characteristics t ON c.characteristics = t.characteristics
