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
        WHEN '{sessions}' THEN s.{sessions}
    END AS numerator,
    CASE WHEN c.children = 1 THEN s.pupils ELSE s.possible END AS denominator,
    CASE c.metric
        WHEN '{sessions_sum}' THEN s.{sessions_sum}_squared
        WHEN '{sessions}' THEN s.{sessions}
    END AS sum_yy,
    CASE c.metric
        WHEN '{sessions_sum}' THEN s.possible_{sessions_sum}
        WHEN '{sessions}' THEN s.{sessions}
    END AS sum_xy,
    CASE WHEN c.children = 1 THEN s.pupils ELSE s.possible_possible END AS sum_xx,
    s.key_n,
    CASE c.metric
        WHEN '{sessions}' THEN s.key_{sessions}
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
        CAST(SUM(w.possible_possible) AS BIGINT) AS possible_possible,
        CAST(SUM(w.{sessions}) AS BIGINT) AS {sessions},
        CAST(SUM(w.{sessions_sum}_squared) AS BIGINT) AS {sessions_sum}_squared,
        CAST(SUM(w.possible_{sessions_sum}) AS BIGINT) AS possible_{sessions_sum},
        CAST(SUM(w.key_{sessions}) AS BIGINT) AS key_{sessions},
        CAST(SUM(w.key_n) AS BIGINT) AS key_n
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
        WHEN '{registered}' THEN s.{registered}
    END AS numerator,
    s.pupils AS denominator,
    CASE c.metric
        WHEN '{registered_sum}' THEN s.{registered_sum}_squared
        WHEN '{registered}' THEN s.{registered}
    END AS sum_yy,
    CASE c.metric
        WHEN '{registered}' THEN s.{registered}
    END AS sum_xy,
    s.pupils AS sum_xx,
    s.key_n,
    CASE c.metric
        WHEN '{registered}' THEN s.key_{registered}
    END AS key_y
FROM (
    SELECT
        k.cells,
        k.rule,
        CASE WHEN k.cells = 3 THEN u.area ELSE u.unit_number END AS place,
        CASE WHEN k.rule = 1 THEN w.other_code ELSE w.group_code END AS group_code,
        k.stratum,
        CAST(SUM(w.pupils) AS BIGINT) AS pupils,
        CAST(SUM(w.{registered}) AS BIGINT) AS {registered},
        CAST(SUM(w.{registered_sum}_squared) AS BIGINT) AS {registered_sum}_squared,
        CAST(SUM(w.key_{registered}) AS BIGINT) AS key_{registered},
        CAST(SUM(w.key_n) AS BIGINT) AS key_n
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
CROSS JOIN (SELECT COUNT(*) AS pupils FROM cohort_moves) v
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
