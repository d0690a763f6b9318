-- The sums of y and x of every metric's ratio (by its code), by school, group and characteristics
-- of the pupils, and of the record keys of those counted (key_n) and of those with y > 0 (key_y).
-- y is in sessions, children or suspensions, and in hundredths for attainment.
SELECT
    z.unit_id,
    z.group_code,
    z.sen,
    z.fsm6,
    z.sex,
    z.year_group,
    z.code,
    CAST(SUM(z.n) AS BIGINT) AS pupils,
    CAST(SUM(z.n * z.y) AS BIGINT) AS numerator,
    CAST(SUM(z.n * z.x) AS BIGINT) AS denominator,
    CAST(SUM(z.n * z.y * z.y) AS BIGINT) AS sum_yy,
    CAST(SUM(z.n * z.x * z.y) AS BIGINT) AS sum_xy,
    CAST(SUM(z.n * z.x * z.x) AS BIGINT) AS sum_xx,
    CAST(SUM(z.record_keys) AS BIGINT) AS key_n,
    CAST(SUM(CASE WHEN z.y > 0 THEN z.record_keys ELSE 0 END) AS BIGINT) AS key_y
FROM (
    SELECT
        o.unit_id,
        COALESCE(m.group_code, 5) AS group_code,
        p.sen,
        p.fsm6,
        p.sex,
        p.year_group,
        o.code,
        o.y,
        o.x,
        1 AS n,
        p.record_key AS record_keys
    FROM (
        SELECT
            a.pupil,
            a.unit_id,
            c.code,
            CASE c.metric
                WHEN 'overall_absence' THEN a.authorised + a.unauthorised
                WHEN 'authorised_absence' THEN a.authorised
                WHEN 'unauthorised_absence' THEN a.unauthorised
                WHEN 'persistent_absence' THEN
                    CASE
                        WHEN 10 * (a.authorised + a.unauthorised) >= a.possible THEN 1
                        ELSE 0
                    END
                WHEN 'severe_absence' THEN
                    CASE
                        WHEN 2 * (a.authorised + a.unauthorised) >= a.possible THEN 1
                        ELSE 0
                    END
            END AS y,
            CASE WHEN c.children = 1 THEN 1 ELSE a.possible END AS x
        FROM cohort_attendance_{period} a
        JOIN cohort_pupils_{period} q ON a.pupil = q.pupil
        JOIN cohort_counted_{rule} c ON q.year_group = c.year_group
        WHERE c.origin = 'attendance' AND c.time_period = {period} AND a.possible > 0
        UNION ALL
        SELECT
            t.pupil,
            t.unit_id,
            c.code,
            t.hundredths AS y,
            1 AS x
        FROM cohort_attainment_{period} t
        JOIN cohort_pupils_{period} q ON t.pupil = q.pupil
        JOIN cohort_counted_{rule} c ON q.year_group = c.year_group AND t.measure = c.measure
        WHERE c.origin = 'attainment' AND c.time_period = {period} AND t.hundredths IS NOT NULL
        UNION ALL
        -- 100 (midrank - 0.5) / N, in hundredths, to the nearest; midrank = place + (ties - 1) / 2.
        SELECT
            r.pupil,
            r.unit_id,
            r.code,
            CAST(
                FLOOR(
                    (10000 * (2 * r.place + r.ties - 2) + r.of_pupils) / (2 * r.of_pupils)
                ) AS BIGINT
            ) AS y,
            1 AS x
        FROM (
            SELECT
                t.pupil,
                t.unit_id,
                c.code,
                RANK() OVER (PARTITION BY c.code ORDER BY t.hundredths) AS place,
                COUNT(*) OVER (PARTITION BY c.code, t.hundredths) AS ties,
                COUNT(*) OVER (PARTITION BY c.code) AS of_pupils
            FROM cohort_attainment_{period} t
            JOIN cohort_pupils_{period} q ON t.pupil = q.pupil
            JOIN cohort_counted_{rule} c ON q.year_group = c.year_group AND t.measure = c.measure
            WHERE
                c.origin = 'rank'
                AND c.time_period = {period}
                AND t.hundredths IS NOT NULL
                AND t.unit_id IS NOT NULL
        ) r
    ) o
    JOIN cohort_pupils_{period} p ON o.pupil = p.pupil
    LEFT JOIN cohort_membership_{rule} m ON o.pupil = m.pupil
    WHERE o.unit_id IS NOT NULL
    UNION ALL
    -- Nearly all pupils have no suspension: those who are alike are counted together first. A
    -- suspension at a school where the pupil has no enrolment makes one there. Moves are counted
    -- of the same enrolments, unless no pupil of the year has two schools.
    SELECT
        g.unit_id,
        g.group_code,
        g.sen,
        g.fsm6,
        g.sex,
        g.year_group,
        c.code,
        CASE c.metric
            WHEN 'school_move' THEN g.moved
            WHEN 'suspension_rate' THEN g.suspensions
            WHEN 'pupils_suspended' THEN CASE WHEN g.suspensions > 0 THEN 1 ELSE 0 END
            WHEN 'permanent_exclusion' THEN g.excluded
        END AS y,
        1 AS x,
        g.n,
        g.record_keys
    FROM (
        SELECT
            e.unit_id,
            COALESCE(m.group_code, 5) AS group_code,
            p.sen,
            p.fsm6,
            p.sex,
            p.year_group,
            COALESCE(t.suspensions, 0) AS suspensions,
            COALESCE(t.excluded, 0) AS excluded,
            CASE WHEN v.schools > 1 THEN 1 ELSE 0 END AS moved,
            COUNT(*) AS n,
            CAST(SUM(p.record_key) AS BIGINT) AS record_keys
        FROM (
            SELECT pupil, unit_id FROM cohort_enrolments_{period}
            UNION
            SELECT pupil, unit_id FROM cohort_suspensions_{period}
        ) e
        JOIN cohort_pupils_{period} p ON e.pupil = p.pupil
        LEFT JOIN cohort_suspensions_{period} t ON e.pupil = t.pupil AND e.unit_id = t.unit_id
        LEFT JOIN cohort_moves_{period} v ON e.pupil = v.pupil
        LEFT JOIN cohort_membership_{rule} m ON e.pupil = m.pupil
        WHERE e.unit_id IS NOT NULL
        GROUP BY
            e.unit_id, COALESCE(m.group_code, 5), p.sen, p.fsm6, p.sex, p.year_group,
            COALESCE(t.suspensions, 0), COALESCE(t.excluded, 0),
            CASE WHEN v.schools > 1 THEN 1 ELSE 0 END
    ) g
    JOIN cohort_counted_{rule} c ON g.year_group = c.year_group
    CROSS JOIN (SELECT COUNT(*) AS pupils FROM cohort_moves_{period}) k
    WHERE
        c.time_period = {period}
        AND (c.origin = 'suspensions' OR (c.origin = 'enrolments' AND k.pupils > 0))
) z
GROUP BY z.unit_id, z.group_code, z.sen, z.fsm6, z.sex, z.year_group, z.code
