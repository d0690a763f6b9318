-- The registrations of a year by school, groups and characteristics of the pupils, and the record
-- keys of those counted (key_n) and of those with any of a kind. What one pupil adds to a metric is
-- the line of its name.
SELECT
    t.unit_number,
    t.group_code,
    t.other_code,
    t.characteristics,
    COUNT(*) AS pupils,
    CAST(SUM(t.{registered}) AS BIGINT) AS {registered},
    CAST(SUM(t.{registered_sum} * t.{registered_sum}) AS BIGINT) AS {registered_sum}_squared,
    CAST(SUM(CASE WHEN t.{registered} > 0 THEN t.record_key ELSE 0 END) AS BIGINT) AS key_{registered},
    CAST(SUM(t.record_key) AS BIGINT) AS key_n
FROM (
    SELECT
        r.unit_number,
        p.group_code,
        p.other_code,
        p.characteristics,
        p.record_key,
        CAST(r.suspensions AS BIGINT) AS suspension_rate,
        CASE WHEN r.suspensions > 0 THEN 1 ELSE 0 END AS pupils_suspended,
        r.excluded AS permanent_exclusion,
        CASE WHEN v.schools > 1 THEN 1 ELSE 0 END AS school_move
    FROM cohort_registrations r
    JOIN cohort_pupils p ON r.pupil = p.pupil
    LEFT JOIN cohort_moves v ON r.pupil = v.pupil
) t
GROUP BY t.unit_number, t.group_code, t.other_code, t.characteristics
