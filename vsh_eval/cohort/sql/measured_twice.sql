-- Pupils with two results in one measure of a year.
SELECT
    k.measure,
    d.wrong
FROM (
    SELECT
        t.measure_code,
        COUNT(*) AS wrong
    FROM (
        SELECT pupil, measure_code
        FROM cohort_attainment
        GROUP BY pupil, measure_code
        HAVING COUNT(*) > 1
    ) t
    GROUP BY t.measure_code
) d
JOIN (SELECT DISTINCT measure, measure_code FROM cohort_metrics) k
    ON d.measure_code = k.measure_code
