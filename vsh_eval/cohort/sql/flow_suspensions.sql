-- Why each row of suspensions of a year is counted (reason 0) or not.
-- A pupil stands at one reason: the first of those of the pupil's rows.
WITH r AS (
    SELECT
        t.pupil,
        t.rows_read,
        CASE
            WHEN n.years = 0 THEN 2
            WHEN p.pupil IS NULL THEN 3
            WHEN c.year_group IS NULL THEN 4
            WHEN t.unit_number IS NULL THEN 5
            ELSE 0
        END AS reason
    FROM cohort_suspensions_{period} t
    CROSS JOIN (
        SELECT COUNT(*) AS years
        FROM cohort_counted
        WHERE rule = 0 AND origin = 'suspensions' AND time_period = {period}
    ) n
    LEFT JOIN cohort_pupils_{period} p ON t.pupil = p.pupil
    LEFT JOIN (
        SELECT DISTINCT year_group
        FROM cohort_counted
        WHERE rule = 0 AND origin = 'suspensions' AND time_period = {period}
    ) c ON p.year_group = c.year_group
)
SELECT
    f.reason,
    CAST(SUM(f.rows_read) AS BIGINT) AS rows_read,
    CAST(SUM(f.pupils) AS BIGINT) AS pupils
FROM (
    SELECT r.reason, r.rows_read, 0 AS pupils FROM r
    UNION ALL
    SELECT MIN(r.reason) AS reason, 0 AS rows_read, 1 AS pupils FROM r GROUP BY r.pupil
) f
GROUP BY f.reason
