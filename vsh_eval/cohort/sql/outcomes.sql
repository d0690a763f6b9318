-- One row per pupil, school and metric of an academic year, without the pupil's key: y and x of
-- the metric's ratio, the pupil's group and characteristics, the school's phase and authority.
-- y is in sessions or children for attendance, in hundredths for attainment.
SELECT
    o.unit_id,
    s.phase,
    s.la_code,
    COALESCE(m.standing, 5) AS standing,
    p.sen,
    p.fsm6,
    p.sex,
    p.year_group,
    o.metric,
    o.y,
    o.x
FROM (
    SELECT
        a.pupil,
        a.unit_id,
        c.metric,
        CASE c.metric
            WHEN 'overall_absence' THEN a.authorised + a.unauthorised
            WHEN 'authorised_absence' THEN a.authorised
            WHEN 'unauthorised_absence' THEN a.unauthorised
            WHEN 'persistent_absence'
                THEN CASE WHEN 10 * (a.authorised + a.unauthorised) >= a.possible THEN 1 ELSE 0 END
            WHEN 'severe_absence'
                THEN CASE WHEN 2 * (a.authorised + a.unauthorised) >= a.possible THEN 1 ELSE 0 END
        END AS y,
        CASE
            WHEN c.metric IN ('persistent_absence', 'severe_absence') THEN 1 ELSE a.possible
        END AS x
    FROM cohort_attendance_{period} a
    JOIN cohort_pupils_{period} q ON a.pupil = q.pupil
    JOIN cohort_counted c ON q.year_group = c.year_group
    WHERE c.origin = 'attendance' AND c.time_period = {period} AND a.possible > 0
    UNION ALL
    SELECT
        t.pupil,
        t.unit_id,
        t.metric,
        t.hundredths AS y,
        1 AS x
    FROM cohort_attainment_{period} t
    JOIN cohort_pupils_{period} q ON t.pupil = q.pupil
    JOIN cohort_counted c ON q.year_group = c.year_group AND t.metric = c.metric
    WHERE c.origin = 'attainment' AND c.time_period = {period} AND t.hundredths IS NOT NULL
) o
JOIN cohort_pupils_{period} p ON o.pupil = p.pupil
JOIN cohort_units s ON o.unit_id = s.unit_id
LEFT JOIN cohort_membership m ON o.pupil = m.pupil
