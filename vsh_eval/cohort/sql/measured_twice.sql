-- Pupils with two results in one measure of a year.
SELECT
    d.measure,
    COUNT(*) AS wrong
FROM (
    SELECT t.pupil, t.measure
    FROM cohort_attainment_{period} t
    GROUP BY t.pupil, t.measure
    HAVING COUNT(*) > 1
) d
JOIN (SELECT DISTINCT measure FROM cohort_metrics) k ON d.measure = k.measure
GROUP BY d.measure
