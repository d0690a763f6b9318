-- The sums of y and x of every metric's ratio (by its code), by school, group and characteristics
-- of the pupils, and of the record keys of those counted (key_n) and of those with y > 0 (key_y).
-- y is in sessions, children or suspensions, and in hundredths for attainment. Pupils are summed
-- once for all metrics of one return, and the metrics take their sums from there.
SELECT
    s.unit_number,
    s.group_code,
    s.characteristics,
    c.code,
    s.pupils,
    CAST(
        CASE c.metric
            WHEN 'overall_absence' THEN s.missed
            WHEN 'authorised_absence' THEN s.authorised
            WHEN 'unauthorised_absence' THEN s.unauthorised
            WHEN 'persistent_absence' THEN s.persistent
            WHEN 'severe_absence' THEN s.severe
        END AS BIGINT
    ) AS numerator,
    CAST(CASE WHEN c.children = 1 THEN s.pupils ELSE s.possible END AS BIGINT) AS denominator,
    CAST(
        CASE c.metric
            WHEN 'overall_absence' THEN s.missed_missed
            WHEN 'authorised_absence' THEN s.authorised_authorised
            WHEN 'unauthorised_absence' THEN s.unauthorised_unauthorised
            WHEN 'persistent_absence' THEN s.persistent
            WHEN 'severe_absence' THEN s.severe
        END AS BIGINT
    ) AS sum_yy,
    CAST(
        CASE c.metric
            WHEN 'overall_absence' THEN s.possible_missed
            WHEN 'authorised_absence' THEN s.possible_authorised
            WHEN 'unauthorised_absence' THEN s.possible_unauthorised
            WHEN 'persistent_absence' THEN s.persistent
            WHEN 'severe_absence' THEN s.severe
        END AS BIGINT
    ) AS sum_xy,
    CAST(CASE WHEN c.children = 1 THEN s.pupils ELSE s.possible_possible END AS BIGINT) AS sum_xx,
    CAST(s.key_n AS BIGINT) AS key_n,
    CAST(
        CASE c.metric
            WHEN 'overall_absence' THEN s.key_missed
            WHEN 'authorised_absence' THEN s.key_authorised
            WHEN 'unauthorised_absence' THEN s.key_unauthorised
            WHEN 'persistent_absence' THEN s.key_persistent
            WHEN 'severe_absence' THEN s.key_severe
        END AS BIGINT
    ) AS key_y
FROM (
    SELECT
        t.unit_number,
        t.group_code,
        t.characteristics,
        COUNT(*) AS pupils,
        SUM(t.possible) AS possible,
        SUM(t.missed) AS missed,
        SUM(t.authorised) AS authorised,
        SUM(t.unauthorised) AS unauthorised,
        SUM(t.persistent) AS persistent,
        SUM(t.severe) AS severe,
        SUM(t.possible * t.possible) AS possible_possible,
        SUM(t.missed * t.missed) AS missed_missed,
        SUM(t.authorised * t.authorised) AS authorised_authorised,
        SUM(t.unauthorised * t.unauthorised) AS unauthorised_unauthorised,
        SUM(t.possible * t.missed) AS possible_missed,
        SUM(t.possible * t.authorised) AS possible_authorised,
        SUM(t.possible * t.unauthorised) AS possible_unauthorised,
        SUM(t.record_key) AS key_n,
        SUM(CASE WHEN t.missed > 0 THEN t.record_key ELSE 0 END) AS key_missed,
        SUM(CASE WHEN t.authorised > 0 THEN t.record_key ELSE 0 END) AS key_authorised,
        SUM(CASE WHEN t.unauthorised > 0 THEN t.record_key ELSE 0 END) AS key_unauthorised,
        SUM(t.persistent * t.record_key) AS key_persistent,
        SUM(t.severe * t.record_key) AS key_severe
    FROM (
        SELECT
            a.unit_number,
            COALESCE(m.group_code, 5) AS group_code,
            p.characteristics,
            p.record_key,
            CAST(a.possible AS BIGINT) AS possible,
            CAST(a.authorised + a.unauthorised AS BIGINT) AS missed,
            CAST(a.authorised AS BIGINT) AS authorised,
            CAST(a.unauthorised AS BIGINT) AS unauthorised,
            CASE
                WHEN 10 * (a.authorised + a.unauthorised) >= a.possible THEN 1
                ELSE 0
            END AS persistent,
            CASE
                WHEN 2 * (a.authorised + a.unauthorised) >= a.possible THEN 1
                ELSE 0
            END AS severe
        FROM cohort_attendance_{period} a
        JOIN cohort_pupils_{period} p ON a.pupil = p.pupil
        JOIN (
            SELECT DISTINCT year_group
            FROM cohort_counted_{rule}
            WHERE origin = 'attendance' AND time_period = {period}
        ) g ON p.year_group = g.year_group
        LEFT JOIN cohort_membership_{rule} m ON a.pupil = m.pupil
        WHERE a.possible > 0 AND a.unit_number IS NOT NULL
    ) t
    GROUP BY t.unit_number, t.group_code, t.characteristics
) s
JOIN cohort_characteristics h ON s.characteristics = h.characteristics
JOIN cohort_counted_{rule} c ON h.year_group = c.year_group
WHERE c.origin = 'attendance' AND c.time_period = {period}
UNION ALL
-- Moves are counted of the same registrations as suspensions, unless no pupil of the year has two
-- schools.
SELECT
    s.unit_number,
    s.group_code,
    s.characteristics,
    c.code,
    s.pupils,
    CAST(
        CASE c.metric
            WHEN 'school_move' THEN s.moved
            WHEN 'suspension_rate' THEN s.suspensions
            WHEN 'pupils_suspended' THEN s.suspended
            WHEN 'permanent_exclusion' THEN s.excluded
        END AS BIGINT
    ) AS numerator,
    s.pupils AS denominator,
    CAST(
        CASE c.metric
            WHEN 'school_move' THEN s.moved
            WHEN 'suspension_rate' THEN s.suspensions_suspensions
            WHEN 'pupils_suspended' THEN s.suspended
            WHEN 'permanent_exclusion' THEN s.excluded
        END AS BIGINT
    ) AS sum_yy,
    CAST(
        CASE c.metric
            WHEN 'school_move' THEN s.moved
            WHEN 'suspension_rate' THEN s.suspensions
            WHEN 'pupils_suspended' THEN s.suspended
            WHEN 'permanent_exclusion' THEN s.excluded
        END AS BIGINT
    ) AS sum_xy,
    s.pupils AS sum_xx,
    CAST(s.key_n AS BIGINT) AS key_n,
    CAST(
        CASE c.metric
            WHEN 'school_move' THEN s.key_moved
            WHEN 'permanent_exclusion' THEN s.key_excluded
            ELSE s.key_suspended
        END AS BIGINT
    ) AS key_y
FROM (
    SELECT
        t.unit_number,
        t.group_code,
        t.characteristics,
        COUNT(*) AS pupils,
        SUM(t.suspensions) AS suspensions,
        SUM(t.suspensions * t.suspensions) AS suspensions_suspensions,
        SUM(t.suspended) AS suspended,
        SUM(t.excluded) AS excluded,
        SUM(t.moved) AS moved,
        SUM(t.record_key) AS key_n,
        SUM(t.suspended * t.record_key) AS key_suspended,
        SUM(t.excluded * t.record_key) AS key_excluded,
        SUM(t.moved * t.record_key) AS key_moved
    FROM (
        SELECT
            r.unit_number,
            COALESCE(m.group_code, 5) AS group_code,
            p.characteristics,
            p.record_key,
            CAST(r.suspensions AS BIGINT) AS suspensions,
            CASE WHEN r.suspensions > 0 THEN 1 ELSE 0 END AS suspended,
            r.excluded,
            CASE WHEN v.schools > 1 THEN 1 ELSE 0 END AS moved
        FROM cohort_registrations_{period} r
        JOIN cohort_pupils_{period} p ON r.pupil = p.pupil
        JOIN (
            SELECT DISTINCT year_group
            FROM cohort_counted_{rule}
            WHERE origin IN ('suspensions', 'enrolments') AND time_period = {period}
        ) g ON p.year_group = g.year_group
        LEFT JOIN cohort_moves_{period} v ON r.pupil = v.pupil
        LEFT JOIN cohort_membership_{rule} m ON r.pupil = m.pupil
    ) t
    GROUP BY t.unit_number, t.group_code, t.characteristics
) s
JOIN cohort_characteristics h ON s.characteristics = h.characteristics
JOIN cohort_counted_{rule} c ON h.year_group = c.year_group
CROSS JOIN (SELECT COUNT(*) AS pupils FROM cohort_moves_{period}) k
WHERE
    c.time_period = {period}
    AND (c.origin = 'suspensions' OR (c.origin = 'enrolments' AND k.pupils > 0))
UNION ALL
SELECT
    s.unit_number,
    s.group_code,
    s.characteristics,
    s.code,
    COUNT(*) AS pupils,
    CAST(SUM(s.y) AS BIGINT) AS numerator,
    COUNT(*) AS denominator,
    CAST(SUM(s.y * s.y) AS BIGINT) AS sum_yy,
    CAST(SUM(s.y) AS BIGINT) AS sum_xy,
    COUNT(*) AS sum_xx,
    CAST(SUM(s.record_key) AS BIGINT) AS key_n,
    CAST(SUM(CASE WHEN s.y > 0 THEN s.record_key ELSE 0 END) AS BIGINT) AS key_y
FROM (
    SELECT
        t.unit_number,
        COALESCE(m.group_code, 5) AS group_code,
        p.characteristics,
        p.record_key,
        c.code,
        CASE WHEN c.origin = 'rank' THEN r.y ELSE CAST(t.hundredths AS BIGINT) END AS y
    FROM cohort_attainment_{period} t
    JOIN cohort_pupils_{period} p ON t.pupil = p.pupil
    JOIN cohort_counted_{rule} c
        ON p.year_group = c.year_group AND t.measure_code = c.measure_code
    LEFT JOIN cohort_ranks_{rule} r ON c.code = r.code AND t.hundredths = r.hundredths
    LEFT JOIN cohort_membership_{rule} m ON t.pupil = m.pupil
    WHERE
        c.origin IN ('attainment', 'rank')
        AND c.time_period = {period}
        AND t.hundredths IS NOT NULL
        AND t.unit_number IS NOT NULL
) s
GROUP BY s.unit_number, s.group_code, s.characteristics, s.code
