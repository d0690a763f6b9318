-- The sessions of a year by school, groups and characteristics of the pupils, and of the record keys
-- of those counted (key_n) and of those with any of a kind. Pupils are summed once for all metrics;
-- what one pupil adds to a metric is the line of its name.
SELECT
    t.unit_number,
    t.group_code,
    t.other_code,
    t.characteristics,
    COUNT(*) AS pupils,
    CAST(SUM(t.possible) AS BIGINT) AS possible,
    CAST(SUM(t.possible * t.possible) AS BIGINT) AS possible_possible,
    CAST(SUM(t.{sessions}) AS BIGINT) AS {sessions},
    CAST(SUM(t.{sessions_sum} * t.{sessions_sum}) AS BIGINT) AS {sessions_sum}_squared,
    CAST(SUM(t.possible * t.{sessions_sum}) AS BIGINT) AS possible_{sessions_sum},
    CAST(SUM(CASE WHEN t.{sessions} > 0 THEN t.record_key ELSE 0 END) AS BIGINT) AS key_{sessions},
    CAST(SUM(t.record_key) AS BIGINT) AS key_n
FROM (
    SELECT
        a.unit_number,
        a.group_code,
        a.other_code,
        a.characteristics,
        a.record_key,
        CAST(a.possible AS BIGINT) AS possible,
        CAST(a.authorised + a.unauthorised AS BIGINT) AS overall_absence,
        CAST(a.authorised AS BIGINT) AS authorised_absence,
        CAST(a.unauthorised AS BIGINT) AS unauthorised_absence,
        CASE WHEN 10 * (a.authorised + a.unauthorised) >= a.possible THEN 1 ELSE 0 END
            AS persistent_absence,
        CASE WHEN 2 * (a.authorised + a.unauthorised) >= a.possible THEN 1 ELSE 0 END
            AS severe_absence
    FROM cohort_attended a
    WHERE a.reason = 0
) t
GROUP BY t.unit_number, t.group_code, t.other_code, t.characteristics
