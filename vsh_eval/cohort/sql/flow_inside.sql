-- How many pupils the rows of a year of the run are of.
SELECT
    'attendance' AS origin,
    COUNT(DISTINCT pupil) AS pupils
FROM cohort_attendance_{period}
UNION ALL
SELECT
    'suspensions' AS origin,
    COUNT(DISTINCT pupil) AS pupils
FROM cohort_suspensions_{period}
UNION ALL
SELECT
    'attainment' AS origin,
    COUNT(DISTINCT pupil) AS pupils
FROM cohort_attainment_{period}
