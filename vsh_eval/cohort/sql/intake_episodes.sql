-- One row per episode: its group (1 looked after, 2 protection plan, 3 in need) and the first
-- and last academic year, named by the calendar year of its September, in which it counts.
-- snapshot = 0: it counts in every year of which it touches a day (1 September to 31 August).
-- snapshot = 1: it counts in every year on whose 31 March it was open.
-- A child in need counts by the basis asked for; the other statuses have one basis only.
SELECT
    k.pupil,
    CASE e.status WHEN 'CLA' THEN 1 WHEN 'CPP' THEN 2 ELSE 3 END AS group_code,
    year(e.start_date) - CASE
        WHEN {snapshot} = 0 AND month(e.start_date) < 9 THEN 1
        WHEN {snapshot} = 1 AND month(e.start_date) <= 3 THEN 1
        ELSE 0
    END AS first_year,
    CASE
        WHEN e.end_date IS NULL THEN 9999
        ELSE year(e.end_date) - CASE
            WHEN {snapshot} = 0 AND month(e.end_date) >= 9 THEN 0
            WHEN {snapshot} = 0 THEN 1
            WHEN month(e.end_date) > 3 THEN 1
            WHEN month(e.end_date) = 3 AND day(e.end_date) = 31 THEN 1
            ELSE 2
        END
    END AS last_year
FROM episodes e
JOIN cohort_keys k ON e.pupil_id = k.pupil_id
WHERE
    e.start_date IS NOT NULL
    AND (e.end_date IS NULL OR e.end_date >= e.start_date)
    AND (
        e.status IN ('CPP', 'CLA')
        OR (
            e.status = 'CIN'
            AND COALESCE(CAST(e.basis AS STRING), 'episode')
            = CASE WHEN {plan} = 1 THEN 'plan' ELSE 'episode' END
        )
    )
