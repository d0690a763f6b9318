-- How many rows the returns hold of each year (0: of none), before anything is kept or dropped.
SELECT
    'attendance' AS origin,
    COALESCE(academic_year, 0) AS time_period,
    COUNT(*) AS rows_read
FROM attendance
GROUP BY COALESCE(academic_year, 0)
UNION ALL
SELECT
    'suspensions' AS origin,
    COALESCE(academic_year, 0) AS time_period,
    COUNT(*) AS rows_read
FROM cohort_suspended
GROUP BY COALESCE(academic_year, 0)
UNION ALL
SELECT
    'attainment' AS origin,
    COALESCE(academic_year, 0) AS time_period,
    COUNT(*) AS rows_read
FROM attainment
GROUP BY COALESCE(academic_year, 0)
