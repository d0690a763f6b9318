-- Why each row of attainment of a year is counted (reason 0) or not.
SELECT
    t.pupil,
    0 AS group_code,
    1 AS rows_read,
    CASE
        WHEN t.measure_code IS NULL THEN 7
        WHEN k.collected = 0 THEN 2
        WHEN p.pupil IS NULL THEN 3
        WHEN c.measure_code IS NULL THEN 4
        WHEN t.unit_number IS NULL THEN 5
        WHEN t.hundredths IS NULL THEN 6
        ELSE 0
    END AS reason
FROM cohort_attainment t
LEFT JOIN (
    SELECT
        d.measure_code,
        MAX(CASE WHEN y.time_period = {period} THEN 1 ELSE 0 END) AS collected
    FROM cohort_metrics d
    LEFT JOIN cohort_counted y ON d.metric = y.metric AND y.rule = 0
    WHERE d.origin IN ('attainment', 'rank')
    GROUP BY d.measure_code
) k ON t.measure_code = k.measure_code
LEFT JOIN cohort_pupils p ON t.pupil = p.pupil
LEFT JOIN (
    SELECT DISTINCT measure_code, year_group
    FROM cohort_counted
    WHERE rule = 0 AND origin IN ('attainment', 'rank') AND time_period = {period}
) c
    ON t.measure_code = c.measure_code AND p.year_group = c.year_group
