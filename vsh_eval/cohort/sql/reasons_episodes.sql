-- Why each episode can make a pupil a member of the cohort (reason 0) or not.
SELECT
    e.pupil_id AS pupil,
    0 AS group_code,
    1 AS rows_read,
    CASE
        WHEN n.pupil_id IS NULL THEN 8
        WHEN e.start_date IS NULL THEN 9
        WHEN e.end_date < e.start_date THEN 9
        WHEN
            e.status = 'CIN'
            AND COALESCE(CAST(e.basis AS STRING), 'episode')
            <> CASE WHEN {plan} = 1 THEN 'plan' ELSE 'episode' END
            THEN 10
        ELSE 0
    END AS reason
FROM episodes e
LEFT JOIN cohort_keys n ON e.pupil_id = n.pupil_id AND n.enrolled = 1
