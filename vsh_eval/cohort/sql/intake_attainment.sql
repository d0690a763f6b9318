-- One row per pupil and measure of an academic year. Values become whole hundredths, so that
-- their sums do not depend on the order of adding. A missing value stays empty, and so does a
-- measure that is not known.
SELECT
    k.pupil,
    u.unit_number,
    d.measure_code,
    CASE
        WHEN t.value BETWEEN -1000000 AND 1000000 THEN CAST(ROUND(t.value * 100) AS INT)
    END AS hundredths
FROM attainment t
JOIN cohort_keys k ON t.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON t.urn = u.urn
LEFT JOIN (
    SELECT DISTINCT measure, measure_code
    FROM cohort_metrics
    WHERE origin IN ('attainment', 'rank')
) d ON t.measure = d.measure
WHERE t.academic_year = {period}
