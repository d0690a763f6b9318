-- The sessions of a year by school, groups and characteristics of the pupils, and of the record keys
-- of those counted (key_n) and of those with any of a kind. Pupils are summed once for all metrics.
SELECT
    t.unit_number,
    t.group_code,
    t.other_code,
    t.characteristics,
    COUNT(*) AS pupils,
    CAST(SUM(t.possible) AS BIGINT) AS possible,
    CAST(SUM(t.missed) AS BIGINT) AS missed,
    CAST(SUM(t.authorised) AS BIGINT) AS authorised,
    CAST(SUM(t.unauthorised) AS BIGINT) AS unauthorised,
    CAST(SUM(t.persistent) AS BIGINT) AS persistent,
    CAST(SUM(t.severe) AS BIGINT) AS severe,
    CAST(SUM(t.possible * t.possible) AS BIGINT) AS possible_possible,
    CAST(SUM(t.missed * t.missed) AS BIGINT) AS missed_missed,
    CAST(SUM(t.authorised * t.authorised) AS BIGINT) AS authorised_authorised,
    CAST(SUM(t.unauthorised * t.unauthorised) AS BIGINT) AS unauthorised_unauthorised,
    CAST(SUM(t.possible * t.missed) AS BIGINT) AS possible_missed,
    CAST(SUM(t.possible * t.authorised) AS BIGINT) AS possible_authorised,
    CAST(SUM(t.possible * t.unauthorised) AS BIGINT) AS possible_unauthorised,
    CAST(SUM(t.record_key) AS BIGINT) AS key_n,
    CAST(SUM(CASE WHEN t.missed > 0 THEN t.record_key ELSE 0 END) AS BIGINT) AS key_missed,
    CAST(SUM(CASE WHEN t.authorised > 0 THEN t.record_key ELSE 0 END) AS BIGINT) AS key_authorised,
    CAST(SUM(CASE WHEN t.unauthorised > 0 THEN t.record_key ELSE 0 END) AS BIGINT)
        AS key_unauthorised,
    CAST(SUM(t.persistent * t.record_key) AS BIGINT) AS key_persistent,
    CAST(SUM(t.severe * t.record_key) AS BIGINT) AS key_severe
FROM (
    SELECT
        a.unit_number,
        a.group_code,
        a.other_code,
        a.characteristics,
        a.record_key,
        CAST(a.possible AS BIGINT) AS possible,
        CAST(a.authorised + a.unauthorised AS BIGINT) AS missed,
        CAST(a.authorised AS BIGINT) AS authorised,
        CAST(a.unauthorised AS BIGINT) AS unauthorised,
        CASE WHEN 10 * (a.authorised + a.unauthorised) >= a.possible THEN 1 ELSE 0 END AS persistent,
        CASE WHEN 2 * (a.authorised + a.unauthorised) >= a.possible THEN 1 ELSE 0 END AS severe
    FROM cohort_attended a
    WHERE a.reason = 0
) t
GROUP BY t.unit_number, t.group_code, t.other_code, t.characteristics
