-- Values of a metric that counts children, and are neither 0 nor 1.
SELECT
    d.measure,
    COUNT(*) AS wrong
FROM cohort_attainment t
JOIN cohort_metrics d ON t.measure_code = d.measure_code
WHERE d.children = 1 AND t.hundredths NOT IN (0, 100)
GROUP BY d.measure
