-- Why the rows of a table are counted (reason 0) or not, by the pupil's group.
-- A pupil stands at one reason: the first of those of the pupil's rows.
SELECT
    f.reason,
    f.group_code,
    CAST(SUM(f.rows_read) AS BIGINT) AS rows_read,
    CAST(SUM(f.pupils) AS BIGINT) AS pupils
FROM (
    SELECT r.reason, r.group_code, r.rows_read, 0 AS pupils FROM cohort_reasons r
    UNION ALL
    SELECT MIN(r.reason) AS reason, MIN(r.group_code) AS group_code, 0 AS rows_read, 1 AS pupils
    FROM cohort_reasons r
    GROUP BY r.pupil
) f
GROUP BY f.reason, f.group_code
