-- One row per pupil and school of an academic year: the terms are summed, a mover has a row
-- at each school where registered. The school is empty where the schools table lacks it.
SELECT
    k.pupil,
    u.unit_id,
    COUNT(*) AS rows_read,
    CAST(SUM(COALESCE(a.sess_possible, 0)) AS BIGINT) AS possible,
    CAST(SUM(COALESCE(a.sess_authorised, 0)) AS BIGINT) AS authorised,
    CAST(SUM(COALESCE(a.sess_unauthorised, 0)) AS BIGINT) AS unauthorised
FROM attendance a
JOIN cohort_keys k ON a.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON a.urn = u.urn
WHERE a.academic_year = {period}
GROUP BY k.pupil, u.unit_id
