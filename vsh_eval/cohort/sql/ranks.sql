-- The percentile rank of every value of the measures that are ranked, among all pupils counted:
-- 100 (midrank - 0.5) / N, in hundredths, to the nearest; midrank = first rank + (ties - 1) / 2.
SELECT
    r.code,
    r.hundredths,
    CAST(
        FLOOR(
            (10000 * (2 * r.first_rank + r.ties - 2) + r.of_pupils) / (2 * r.of_pupils)
        ) AS BIGINT
    ) AS y
FROM (
    SELECT
        v.code,
        v.hundredths,
        v.ties,
        CAST(
            SUM(v.ties) OVER (PARTITION BY v.code ORDER BY v.hundredths) - v.ties + 1 AS BIGINT
        ) AS first_rank,
        CAST(SUM(v.ties) OVER (PARTITION BY v.code) AS BIGINT) AS of_pupils
    FROM (
        SELECT
            c.code,
            t.hundredths,
            COUNT(*) AS ties
        FROM cohort_attainment t
        JOIN cohort_pupils p ON t.pupil = p.pupil
        JOIN (
            SELECT DISTINCT code, measure_code, year_group
            FROM cohort_counted
            WHERE origin = 'rank' AND time_period = {period}
        ) c
            ON p.year_group = c.year_group AND t.measure_code = c.measure_code
        WHERE t.hundredths IS NOT NULL AND t.unit_number IS NOT NULL
        GROUP BY c.code, t.hundredths
    ) v
) r
