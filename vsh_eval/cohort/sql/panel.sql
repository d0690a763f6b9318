-- The sums of every school, group and metric of a year, under the run's own rule (cells 1) or the
-- other one (2).
SELECT
    s.unit_id,
    s.phase,
    o.group_code,
    k.metric,
    o.pupils,
    o.numerator,
    o.denominator,
    o.sum_yy,
    o.sum_xy,
    o.sum_xx,
    o.key_n,
    o.key_y
FROM cohort_outcomes o
JOIN cohort_units s ON o.place = s.unit_number
JOIN cohort_metrics k ON o.code = k.code
WHERE o.cells = {cells}
