-- One row per pupil and measure of an academic year. Values become whole hundredths, so that
-- their sums do not depend on the order of adding. A missing value stays empty.
SELECT
    k.pupil,
    u.unit_id,
    t.measure,
    CASE
        WHEN t.value BETWEEN -1000000 AND 1000000 THEN CAST(ROUND(t.value * 100) AS BIGINT)
    END AS hundredths
FROM attainment t
JOIN cohort_keys k ON t.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON t.urn = u.urn
WHERE t.academic_year = {period}
