-- Why each row of attendance of a year is counted (reason 0) or not, by the pupil's group.
SELECT
    r.reason,
    r.group_code,
    CAST(SUM(r.rows_read) AS BIGINT) AS rows_read,
    COUNT(DISTINCT r.pupil) AS pupils
FROM (
    SELECT
        a.pupil,
        a.rows_read,
        COALESCE(m.group_code, 5) AS group_code,
        CASE
            WHEN n.years = 0 THEN 2
            WHEN p.pupil IS NULL THEN 3
            WHEN c.year_group IS NULL THEN 4
            WHEN a.unit_number IS NULL THEN 5
            WHEN a.possible <= 0 THEN 6
            ELSE 0
        END AS reason
    FROM cohort_attendance_{period} a
    CROSS JOIN (
        SELECT COUNT(*) AS years
        FROM cohort_counted_0
        WHERE origin = 'attendance' AND time_period = {period}
    ) n
    LEFT JOIN cohort_pupils_{period} p ON a.pupil = p.pupil
    LEFT JOIN (
        SELECT DISTINCT year_group
        FROM cohort_counted_0
        WHERE origin = 'attendance' AND time_period = {period}
    ) c ON p.year_group = c.year_group
    LEFT JOIN cohort_membership_0 m ON a.pupil = m.pupil
) r
GROUP BY r.reason, r.group_code
