-- Every child named in a return, once: a number drawn by lot, and the record key, which is the
-- first 40 bits of HMAC-SHA256(secret, 'record key|' + pupil_id), as RFC 2104 makes it of two
-- hashes. The lot is a hash too: an engine that works a row out again must find the same number.
-- enrolled = 1: some enrolment names the child.
SELECT
    k.pupil_id,
    CAST(ROW_NUMBER() OVER (ORDER BY k.drawn, k.pupil_id) - 1 AS INT) AS pupil,
    k.record_key,
    k.enrolled
FROM (
    SELECT
        p.pupil_id,
        p.enrolled,
        CAST(conv(substr(md5(concat(s.lot, p.pupil_id)), 1, 15), 16, 10) AS BIGINT) AS drawn,
        CAST(
            conv(
                substr(
                    sha2(
                        s.outer_key || unhex(
                            sha2(
                                s.inner_key
                                || to_binary(concat('record key|', p.pupil_id), 'utf-8'),
                                256
                            )
                        ),
                        256
                    ),
                    1,
                    10
                ),
                16,
                10
            ) AS BIGINT
        ) AS record_key
    FROM (
        SELECT n.pupil_id, MAX(n.enrolled) AS enrolled
        FROM (
            SELECT pupil_id, 1 AS enrolled FROM enrolments
            UNION ALL
            SELECT pupil_id, 0 AS enrolled FROM attendance
            UNION ALL
            SELECT pupil_id, 0 AS enrolled FROM cohort_suspended
            UNION ALL
            SELECT pupil_id, 0 AS enrolled FROM attainment
            UNION ALL
            SELECT pupil_id, 0 AS enrolled FROM episodes
        ) n
        GROUP BY n.pupil_id
    ) p
    CROSS JOIN (
        SELECT lot, unhex(inner_key) AS inner_key, unhex(outer_key) AS outer_key
        FROM cohort_secret
    ) s
    WHERE p.pupil_id IS NOT NULL
) k
