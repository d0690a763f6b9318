-- One row per pupil and school of an academic year: the terms are summed, a mover has a row
-- at each school where registered. The school is empty where the schools table lacks it. Terms are
-- summed first, as there are fewer sums than terms to seek the pupil of.
SELECT
    k.pupil,
    u.unit_number,
    CAST(SUM(t.rows_read) AS INT) AS rows_read,
    CAST(SUM(t.possible) AS INT) AS possible,
    CAST(SUM(t.authorised) AS INT) AS authorised,
    CAST(SUM(t.unauthorised) AS INT) AS unauthorised
FROM (
    SELECT
        pupil_id,
        urn,
        COUNT(*) AS rows_read,
        CAST(SUM(COALESCE(sess_possible, 0)) AS BIGINT) AS possible,
        CAST(SUM(COALESCE(sess_authorised, 0)) AS BIGINT) AS authorised,
        CAST(SUM(COALESCE(sess_unauthorised, 0)) AS BIGINT) AS unauthorised
    FROM attendance
    WHERE academic_year = {period}
    GROUP BY pupil_id, urn
) t
JOIN cohort_keys k ON t.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON t.urn = u.urn
GROUP BY k.pupil, u.unit_number
