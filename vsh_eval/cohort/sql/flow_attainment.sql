-- Why each row of attainment of a year is counted (reason 0) or not.
SELECT
    r.reason,
    COUNT(*) AS rows_read,
    COUNT(DISTINCT r.pupil) AS pupils
FROM (
    SELECT
        t.pupil,
        CASE
            WHEN k.metric IS NULL THEN 7
            WHEN k.collected = 0 THEN 2
            WHEN p.pupil IS NULL THEN 3
            WHEN c.metric IS NULL THEN 4
            WHEN t.unit_id IS NULL THEN 5
            WHEN t.hundredths IS NULL THEN 6
            ELSE 0
        END AS reason
    FROM cohort_attainment_{period} t
    LEFT JOIN (
        SELECT
            d.metric,
            MAX(CASE WHEN y.time_period = {period} THEN 1 ELSE 0 END) AS collected
        FROM cohort_metrics d
        LEFT JOIN cohort_counted y ON d.metric = y.metric
        WHERE d.origin = 'attainment'
        GROUP BY d.metric
    ) k ON t.metric = k.metric
    LEFT JOIN cohort_pupils_{period} p ON t.pupil = p.pupil
    LEFT JOIN cohort_counted c
        ON
            t.metric = c.metric
            AND p.year_group = c.year_group
            AND c.origin = 'attainment'
            AND c.time_period = {period}
) r
GROUP BY r.reason
