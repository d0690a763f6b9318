-- Why the rows of attendance of a year are counted (reason 0) or not, by the pupil's group.
SELECT
    a.reason,
    a.group_code,
    CAST(SUM(a.rows_read) AS BIGINT) AS rows_read,
    COUNT(DISTINCT a.pupil) AS pupils
FROM cohort_attended a
GROUP BY a.reason, a.group_code
