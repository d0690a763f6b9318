-- Why each row of suspensions of a year is counted (reason 0) or not.
SELECT
    t.pupil,
    0 AS group_code,
    t.rows_read,
    CASE
        WHEN n.years = 0 THEN 2
        WHEN p.pupil IS NULL THEN 3
        WHEN c.year_group IS NULL THEN 4
        WHEN t.unit_number IS NULL THEN 5
        ELSE 0
    END AS reason
FROM cohort_suspensions t
CROSS JOIN (
    SELECT COUNT(*) AS years
    FROM cohort_counted
    WHERE rule = 0 AND origin = 'suspensions' AND time_period = {period}
) n
LEFT JOIN cohort_pupils p ON t.pupil = p.pupil
LEFT JOIN (
    SELECT DISTINCT year_group
    FROM cohort_counted
    WHERE rule = 0 AND origin = 'suspensions' AND time_period = {period}
) c ON p.year_group = c.year_group
