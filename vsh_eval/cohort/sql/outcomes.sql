-- The sums of y and x of every metric's ratio (by its code), by kind of cell, school or area (place),
-- group and stratum, and of the record keys of those counted (key_n) and of those with y > 0
-- (key_y). y is in sessions, children or suspensions, and in hundredths for attainment. What a
-- return sums to is added up once, and the metrics take their sums from there.
SELECT
    s.cells,
    s.place,
    s.group_code,
    s.stratum,
    c.code,
    s.pupils,
    CASE c.metric
        WHEN 'overall_absence' THEN s.missed
        WHEN 'authorised_absence' THEN s.authorised
        WHEN 'unauthorised_absence' THEN s.unauthorised
        WHEN 'persistent_absence' THEN s.persistent
        WHEN 'severe_absence' THEN s.severe
    END AS numerator,
    CASE WHEN c.children = 1 THEN s.pupils ELSE s.possible END AS denominator,
    CASE c.metric
        WHEN 'overall_absence' THEN s.missed_missed
        WHEN 'authorised_absence' THEN s.authorised_authorised
        WHEN 'unauthorised_absence' THEN s.unauthorised_unauthorised
        WHEN 'persistent_absence' THEN s.persistent
        WHEN 'severe_absence' THEN s.severe
    END AS sum_yy,
    CASE c.metric
        WHEN 'overall_absence' THEN s.possible_missed
        WHEN 'authorised_absence' THEN s.possible_authorised
        WHEN 'unauthorised_absence' THEN s.possible_unauthorised
        WHEN 'persistent_absence' THEN s.persistent
        WHEN 'severe_absence' THEN s.severe
    END AS sum_xy,
    CASE WHEN c.children = 1 THEN s.pupils ELSE s.possible_possible END AS sum_xx,
    s.key_n,
    CASE c.metric
        WHEN 'overall_absence' THEN s.key_missed
        WHEN 'authorised_absence' THEN s.key_authorised
        WHEN 'unauthorised_absence' THEN s.key_unauthorised
        WHEN 'persistent_absence' THEN s.key_persistent
        WHEN 'severe_absence' THEN s.key_severe
    END AS key_y
FROM (
    SELECT
        k.cells,
        k.rule,
        CASE WHEN k.cells = 3 THEN u.area ELSE u.unit_number END AS place,
        CASE WHEN k.rule = 1 THEN w.other_code ELSE w.group_code END AS group_code,
        k.stratum,
        CAST(SUM(w.pupils) AS BIGINT) AS pupils,
        CAST(SUM(w.possible) AS BIGINT) AS possible,
        CAST(SUM(w.missed) AS BIGINT) AS missed,
        CAST(SUM(w.authorised) AS BIGINT) AS authorised,
        CAST(SUM(w.unauthorised) AS BIGINT) AS unauthorised,
        CAST(SUM(w.persistent) AS BIGINT) AS persistent,
        CAST(SUM(w.severe) AS BIGINT) AS severe,
        CAST(SUM(w.possible_possible) AS BIGINT) AS possible_possible,
        CAST(SUM(w.missed_missed) AS BIGINT) AS missed_missed,
        CAST(SUM(w.authorised_authorised) AS BIGINT) AS authorised_authorised,
        CAST(SUM(w.unauthorised_unauthorised) AS BIGINT) AS unauthorised_unauthorised,
        CAST(SUM(w.possible_missed) AS BIGINT) AS possible_missed,
        CAST(SUM(w.possible_authorised) AS BIGINT) AS possible_authorised,
        CAST(SUM(w.possible_unauthorised) AS BIGINT) AS possible_unauthorised,
        CAST(SUM(w.key_n) AS BIGINT) AS key_n,
        CAST(SUM(w.key_missed) AS BIGINT) AS key_missed,
        CAST(SUM(w.key_authorised) AS BIGINT) AS key_authorised,
        CAST(SUM(w.key_unauthorised) AS BIGINT) AS key_unauthorised,
        CAST(SUM(w.key_persistent) AS BIGINT) AS key_persistent,
        CAST(SUM(w.key_severe) AS BIGINT) AS key_severe
    FROM cohort_sessions w
    JOIN cohort_units u ON w.unit_number = u.unit_number
    JOIN cohort_strata k ON w.characteristics = k.characteristics
    GROUP BY
        k.cells,
        k.rule,
        CASE WHEN k.cells = 3 THEN u.area ELSE u.unit_number END,
        CASE WHEN k.rule = 1 THEN w.other_code ELSE w.group_code END,
        k.stratum
) s
JOIN (
    SELECT DISTINCT rule, code, metric, children
    FROM cohort_counted
    WHERE origin = 'attendance' AND time_period = {period}
) c ON s.rule = c.rule
UNION ALL
-- Moves are counted of the same registrations as suspensions, unless no pupil of the year has two
-- schools.
SELECT
    s.cells,
    s.place,
    s.group_code,
    s.stratum,
    c.code,
    s.pupils,
    CASE c.metric
        WHEN 'school_move' THEN s.moved
        WHEN 'suspension_rate' THEN s.suspensions
        WHEN 'pupils_suspended' THEN s.suspended
        WHEN 'permanent_exclusion' THEN s.excluded
    END AS numerator,
    s.pupils AS denominator,
    CASE c.metric
        WHEN 'school_move' THEN s.moved
        WHEN 'suspension_rate' THEN s.suspensions_suspensions
        WHEN 'pupils_suspended' THEN s.suspended
        WHEN 'permanent_exclusion' THEN s.excluded
    END AS sum_yy,
    CASE c.metric
        WHEN 'school_move' THEN s.moved
        WHEN 'suspension_rate' THEN s.suspensions
        WHEN 'pupils_suspended' THEN s.suspended
        WHEN 'permanent_exclusion' THEN s.excluded
    END AS sum_xy,
    s.pupils AS sum_xx,
    s.key_n,
    CASE c.metric
        WHEN 'school_move' THEN s.key_moved
        WHEN 'permanent_exclusion' THEN s.key_excluded
        ELSE s.key_suspended
    END AS key_y
FROM (
    SELECT
        k.cells,
        k.rule,
        CASE WHEN k.cells = 3 THEN u.area ELSE u.unit_number END AS place,
        CASE WHEN k.rule = 1 THEN w.other_code ELSE w.group_code END AS group_code,
        k.stratum,
        CAST(SUM(w.pupils) AS BIGINT) AS pupils,
        CAST(SUM(w.suspensions) AS BIGINT) AS suspensions,
        CAST(SUM(w.suspensions_suspensions) AS BIGINT) AS suspensions_suspensions,
        CAST(SUM(w.suspended) AS BIGINT) AS suspended,
        CAST(SUM(w.excluded) AS BIGINT) AS excluded,
        CAST(SUM(w.moved) AS BIGINT) AS moved,
        CAST(SUM(w.key_n) AS BIGINT) AS key_n,
        CAST(SUM(w.key_suspended) AS BIGINT) AS key_suspended,
        CAST(SUM(w.key_excluded) AS BIGINT) AS key_excluded,
        CAST(SUM(w.key_moved) AS BIGINT) AS key_moved
    FROM cohort_registered w
    JOIN cohort_units u ON w.unit_number = u.unit_number
    JOIN cohort_strata k ON w.characteristics = k.characteristics
    JOIN cohort_characteristics h ON w.characteristics = h.characteristics
    JOIN (
        SELECT DISTINCT year_group
        FROM cohort_counted
        WHERE origin IN ('suspensions', 'enrolments') AND time_period = {period}
    ) g ON h.year_group = g.year_group
    GROUP BY
        k.cells,
        k.rule,
        CASE WHEN k.cells = 3 THEN u.area ELSE u.unit_number END,
        CASE WHEN k.rule = 1 THEN w.other_code ELSE w.group_code END,
        k.stratum
) s
JOIN (
    SELECT DISTINCT origin, rule, code, metric
    FROM cohort_counted
    WHERE origin IN ('suspensions', 'enrolments') AND time_period = {period}
) c ON s.rule = c.rule
CROSS JOIN (SELECT COUNT(*) AS pupils FROM cohort_moves_{period}) v
WHERE c.origin = 'suspensions' OR v.pupils > 0
UNION ALL
SELECT
    s.cells,
    s.place,
    s.group_code,
    s.stratum,
    s.code,
    s.pupils,
    s.y AS numerator,
    s.pupils AS denominator,
    s.y_y AS sum_yy,
    s.y AS sum_xy,
    s.pupils AS sum_xx,
    s.key_n,
    s.key_y
FROM (
    SELECT
        k.cells,
        k.rule,
        CASE WHEN k.cells = 3 THEN u.area ELSE u.unit_number END AS place,
        CASE WHEN k.rule = 1 THEN w.other_code ELSE w.group_code END AS group_code,
        k.stratum,
        w.code,
        CAST(SUM(w.pupils) AS BIGINT) AS pupils,
        CAST(SUM(w.y) AS BIGINT) AS y,
        CAST(SUM(w.y_y) AS BIGINT) AS y_y,
        CAST(SUM(w.key_n) AS BIGINT) AS key_n,
        CAST(SUM(w.key_y) AS BIGINT) AS key_y
    FROM cohort_results w
    JOIN cohort_units u ON w.unit_number = u.unit_number
    JOIN cohort_strata k ON w.characteristics = k.characteristics
    JOIN (
        SELECT DISTINCT rule, code
        FROM cohort_counted
        WHERE origin IN ('attainment', 'rank') AND time_period = {period}
    ) c ON w.code = c.code AND k.rule = c.rule
    GROUP BY
        k.cells,
        k.rule,
        CASE WHEN k.cells = 3 THEN u.area ELSE u.unit_number END,
        CASE WHEN k.rule = 1 THEN w.other_code ELSE w.group_code END,
        k.stratum,
        w.code
) s
