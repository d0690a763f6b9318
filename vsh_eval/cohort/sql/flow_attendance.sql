-- Why the rows of attendance of a year are counted (reason 0) or not, by the pupil's group.
-- A pupil stands at one reason: the first of those of the pupil's rows.
SELECT
    f.reason,
    f.group_code,
    CAST(SUM(f.rows_read) AS BIGINT) AS rows_read,
    COUNT(DISTINCT CASE WHEN f.reason = f.first_reason THEN f.pupil END) AS pupils
FROM (SELECT a.*, MIN(a.reason) OVER (PARTITION BY a.pupil) AS first_reason FROM cohort_attended a) f
GROUP BY f.reason, f.group_code
