-- One row per pupil and school that the suspensions return names in an academic year. The school
-- is empty where the schools table lacks it.
SELECT
    k.pupil,
    u.unit_number,
    CAST(COUNT(*) AS INT) AS rows_read,
    CAST(SUM(COALESCE(t.suspensions, 0)) AS INT) AS suspensions,
    MAX(CASE WHEN t.permanent_exclusions > 0 THEN 1 ELSE 0 END) AS excluded
FROM cohort_suspended t
JOIN cohort_keys k ON t.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON t.urn = u.urn
WHERE t.academic_year = {period}
GROUP BY k.pupil, u.unit_number
