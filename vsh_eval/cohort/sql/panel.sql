-- The sums of every place, group, stratum and metric of a year: of schools under the run's own rule
-- (cells 1) or the other one (2), and of authorities and phases by characteristics (3).
SELECT
    o.place,
    o.group_code,
    o.code,
    o.stratum,
    o.pupils,
    o.numerator,
    o.denominator,
    o.sum_yy,
    o.sum_xy,
    o.sum_xx,
    o.key_n,
    o.key_y
FROM cohort_outcomes o
WHERE o.cells = {cells}
