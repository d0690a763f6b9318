-- How many pupils the rows of a year are of that is not counted (0: of rows without one).
SELECT
    'attendance' AS origin,
    COUNT(DISTINCT pupil_id) AS pupils
FROM attendance
WHERE COALESCE(academic_year, 0) = {period}
UNION ALL
SELECT
    'suspensions' AS origin,
    COUNT(DISTINCT pupil_id) AS pupils
FROM cohort_suspended
WHERE COALESCE(academic_year, 0) = {period}
UNION ALL
SELECT
    'attainment' AS origin,
    COUNT(DISTINCT pupil_id) AS pupils
FROM attainment
WHERE COALESCE(academic_year, 0) = {period}
