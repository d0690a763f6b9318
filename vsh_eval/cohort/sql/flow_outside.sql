-- How many rows the returns hold of years that are not of the run, and of how many pupils in each.
SELECT
    'attendance' AS origin,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT r.pupil_id) AS pupils
FROM attendance r
LEFT JOIN cohort_years y ON r.academic_year = y.time_period
WHERE y.time_period IS NULL
GROUP BY r.academic_year
UNION ALL
SELECT
    'suspensions' AS origin,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT r.pupil_id) AS pupils
FROM cohort_suspended r
LEFT JOIN cohort_years y ON r.academic_year = y.time_period
WHERE y.time_period IS NULL
GROUP BY r.academic_year
UNION ALL
SELECT
    'attainment' AS origin,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT r.pupil_id) AS pupils
FROM attainment r
LEFT JOIN cohort_years y ON r.academic_year = y.time_period
WHERE y.time_period IS NULL
GROUP BY r.academic_year
