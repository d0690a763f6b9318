-- The same sums of every authority, phase, group, stratum of pupils and metric of a year.
SELECT
    a.la_code AS unit_id,
    a.phase,
    o.group_code,
    k.metric,
    t.sen,
    t.fsm6,
    t.sex,
    t.year_group,
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
JOIN cohort_characteristics t ON o.stratum = t.characteristics
WHERE o.cells = 3
