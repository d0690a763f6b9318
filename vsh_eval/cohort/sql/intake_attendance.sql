-- One row per pupil and school of an academic year: the terms are summed, a mover has a row
-- at each school where registered. The school is empty where the schools table lacks it. Terms are
-- summed first, as there are fewer sums than terms to seek the pupil of.
SELECT
    k.pupil,
    t.unit_number,
    CAST(t.rows_read AS INT) AS rows_read,
    CAST(t.possible AS INT) AS possible,
    CAST(t.authorised AS INT) AS authorised,
    CAST(t.unauthorised AS INT) AS unauthorised
FROM (
    SELECT
        a.pupil_id,
        u.unit_number,
        COUNT(*) AS rows_read,
        CAST(SUM(COALESCE(a.sess_possible, 0)) AS BIGINT) AS possible,
        CAST(SUM(COALESCE(a.sess_authorised, 0)) AS BIGINT) AS authorised,
        CAST(SUM(COALESCE(a.sess_unauthorised, 0)) AS BIGINT) AS unauthorised
    FROM attendance a
    LEFT JOIN cohort_urns u ON a.urn = u.urn
    WHERE a.academic_year = {period}
    GROUP BY a.pupil_id, u.unit_number
) t
JOIN cohort_keys k ON t.pupil_id = k.pupil_id
