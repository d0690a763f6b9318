-- Why the rows of attendance of a year are counted (reason 0) or not, by the pupil's group.
-- A pupil stands at one reason: the first of those of the pupil's rows.
SELECT
    f.reason,
    f.group_code,
    CAST(SUM(f.rows_read) AS BIGINT) AS rows_read,
    CAST(SUM(f.pupils) AS BIGINT) AS pupils
FROM (
    SELECT a.reason, a.group_code, a.rows_read, 0 AS pupils FROM cohort_attended a
    UNION ALL
    SELECT MIN(a.reason) AS reason, MIN(a.group_code) AS group_code, 0 AS rows_read, 1 AS pupils
    FROM cohort_attended a
    GROUP BY a.pupil
) f
GROUP BY f.reason, f.group_code
