-- What the returns hold, year by year, before anything is kept or dropped.
SELECT
    'attendance' AS origin,
    academic_year AS time_period,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT pupil_id) AS pupils
FROM attendance
GROUP BY academic_year
UNION ALL
SELECT
    'suspensions' AS origin,
    academic_year AS time_period,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT pupil_id) AS pupils
FROM cohort_suspended
GROUP BY academic_year
UNION ALL
SELECT
    'attainment' AS origin,
    academic_year AS time_period,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT pupil_id) AS pupils
FROM attainment
GROUP BY academic_year
