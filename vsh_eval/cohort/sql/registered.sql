-- The registrations of a year by school, groups and characteristics of the pupils, and the record
-- keys of those counted (key_n) and of those with any of a kind.
SELECT
    t.unit_number,
    t.group_code,
    t.other_code,
    t.characteristics,
    COUNT(*) AS pupils,
    CAST(SUM(t.suspensions) AS BIGINT) AS suspensions,
    CAST(SUM(t.suspensions * t.suspensions) AS BIGINT) AS suspensions_suspensions,
    CAST(SUM(t.suspended) AS BIGINT) AS suspended,
    CAST(SUM(t.excluded) AS BIGINT) AS excluded,
    CAST(SUM(t.moved) AS BIGINT) AS moved,
    CAST(SUM(t.record_key) AS BIGINT) AS key_n,
    CAST(SUM(t.suspended * t.record_key) AS BIGINT) AS key_suspended,
    CAST(SUM(t.excluded * t.record_key) AS BIGINT) AS key_excluded,
    CAST(SUM(t.moved * t.record_key) AS BIGINT) AS key_moved
FROM (
    SELECT
        r.unit_number,
        p.group_code,
        p.other_code,
        p.characteristics,
        p.record_key,
        CAST(r.suspensions AS BIGINT) AS suspensions,
        CASE WHEN r.suspensions > 0 THEN 1 ELSE 0 END AS suspended,
        r.excluded,
        CASE WHEN v.schools > 1 THEN 1 ELSE 0 END AS moved
    FROM cohort_registrations_{period} r
    JOIN cohort_pupils_{period} p ON r.pupil = p.pupil
    LEFT JOIN cohort_moves_{period} v ON r.pupil = v.pupil
) t
GROUP BY t.unit_number, t.group_code, t.other_code, t.characteristics
