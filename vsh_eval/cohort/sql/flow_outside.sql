-- How many rows the returns hold of years that are not of the run, and of how many pupils in each.
SELECT
    r.origin,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT r.pupil_id) AS pupils
FROM (
    SELECT 'attendance' AS origin, pupil_id, academic_year FROM attendance
    UNION ALL
    SELECT 'suspensions' AS origin, pupil_id, academic_year FROM cohort_suspended
    UNION ALL
    SELECT 'attainment' AS origin, pupil_id, academic_year FROM attainment
) r
LEFT JOIN cohort_years y ON r.academic_year = y.time_period
WHERE y.time_period IS NULL
GROUP BY r.origin, r.academic_year
