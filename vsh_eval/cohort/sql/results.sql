-- The results of a year by school, groups and characteristics of the pupils, metric by metric, and
-- the record keys of those counted (key_n) and of those with a value above 0 (key_y).
SELECT
    s.unit_number,
    s.group_code,
    s.other_code,
    s.characteristics,
    s.code,
    COUNT(*) AS pupils,
    CAST(SUM(s.y) AS BIGINT) AS y,
    CAST(SUM(s.y * s.y) AS BIGINT) AS y_y,
    CAST(SUM(s.record_key) AS BIGINT) AS key_n,
    CAST(SUM(CASE WHEN s.y > 0 THEN s.record_key ELSE 0 END) AS BIGINT) AS key_y
FROM (
    SELECT
        t.unit_number,
        p.group_code,
        p.other_code,
        p.characteristics,
        p.record_key,
        c.code,
        CASE WHEN c.origin = 'rank' THEN r.y ELSE CAST(t.hundredths AS BIGINT) END AS y
    FROM cohort_attainment t
    JOIN cohort_pupils p ON t.pupil = p.pupil
    JOIN (
        SELECT DISTINCT origin, code, measure_code, year_group
        FROM cohort_counted
        WHERE origin IN ('attainment', 'rank') AND time_period = {period}
    ) c
        ON p.year_group = c.year_group AND t.measure_code = c.measure_code
    LEFT JOIN cohort_ranks r ON c.code = r.code AND t.hundredths = r.hundredths
    WHERE t.hundredths IS NOT NULL AND t.unit_number IS NOT NULL
) s
GROUP BY s.unit_number, s.group_code, s.other_code, s.characteristics, s.code
