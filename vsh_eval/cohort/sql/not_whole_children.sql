-- Values of a metric that counts children, and are neither 0 nor 1.
SELECT
    t.measure,
    COUNT(*) AS wrong
FROM cohort_attainment_{period} t
JOIN cohort_metrics d ON t.measure = d.metric
WHERE d.children = 1 AND t.hundredths NOT IN (0, 100)
GROUP BY t.measure
