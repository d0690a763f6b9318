-- The pupils of overall absence by school and group: how many were not in the cohort the year
-- before, and how they attended then.
SELECT
    s.unit_id,
    s.phase,
    c.group_code,
    c.pupils,
    c.entrants,
    c.prior_pupils,
    c.prior_missed,
    c.prior_possible,
    c.entrants_missed,
    c.entrants_possible,
    c.key_n,
    c.key_y
FROM (
    SELECT
        e.unit_number,
        e.group_code,
        CAST(COUNT(*) AS BIGINT) AS pupils,
        CAST(SUM(e.new) AS BIGINT) AS entrants,
        CAST(SUM(CASE WHEN e.possible > 0 THEN 1 ELSE 0 END) AS BIGINT) AS prior_pupils,
        CAST(SUM(e.missed) AS BIGINT) AS prior_missed,
        CAST(SUM(e.possible) AS BIGINT) AS prior_possible,
        CAST(SUM(e.new * e.missed) AS BIGINT) AS entrants_missed,
        CAST(SUM(e.new * e.possible) AS BIGINT) AS entrants_possible,
        CAST(SUM(e.record_key) AS BIGINT) AS key_n,
        CAST(SUM(e.new * e.record_key) AS BIGINT) AS key_y
    FROM (
        SELECT
            a.unit_number,
            a.group_code,
            a.record_key,
            1 - COALESCE(b.counted, 0) AS new,
            COALESCE(b.possible, 0) AS possible,
            COALESCE(b.missed, 0) AS missed
        FROM cohort_attended a
        CROSS JOIN (
            SELECT COUNT(*) AS years
            FROM cohort_counted
            WHERE rule = 0 AND metric = 'overall_absence' AND time_period = {period}
        ) n
        LEFT JOIN cohort_year_before b ON a.pupil = b.pupil
        WHERE a.reason = 0 AND n.years > 0
    ) e
    GROUP BY e.unit_number, e.group_code
) c
JOIN cohort_units s ON c.unit_number = s.unit_number
