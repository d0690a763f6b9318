-- What the next academic year must know of this one: who was in the cohort (group 2 or 3), and
-- each pupil's sessions, wherever the pupil learnt.
SELECT
    b.pupil,
    MAX(b.counted) AS counted,
    CAST(SUM(b.possible) AS BIGINT) AS possible,
    CAST(SUM(b.missed) AS BIGINT) AS missed
FROM (
    SELECT
        a.pupil,
        0 AS counted,
        a.possible,
        a.authorised + a.unauthorised AS missed
    FROM cohort_attendance a
    UNION ALL
    SELECT
        m.pupil,
        1 AS counted,
        0 AS possible,
        0 AS missed
    FROM cohort_membership m
    WHERE m.group_code = 2 OR m.group_code = 3
) b
GROUP BY b.pupil
