-- The same sums of every authority, phase, group, combination of characteristics and metric of a
-- year.
SELECT
    a.la_code AS unit_id,
    a.phase,
    o.group_code,
    k.metric,
    o.stratum AS characteristics,
    o.pupils,
    o.numerator,
    o.denominator,
    o.sum_yy,
    o.sum_xy,
    o.sum_xx,
    o.key_n,
    o.key_y
FROM cohort_outcomes o
JOIN cohort_areas a ON o.place = a.area
JOIN cohort_metrics k ON o.code = k.code
WHERE o.cells = 3
