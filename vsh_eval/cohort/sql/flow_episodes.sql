-- Why each episode can make a pupil a member of the cohort (reason 0) or not.
-- A pupil stands at one reason: the first of those of the pupil's rows.
WITH r AS (
    SELECT
        e.pupil_id,
        CASE
            WHEN e.start_date IS NULL THEN 8
            WHEN e.end_date < e.start_date THEN 8
            WHEN
                e.status = 'CIN'
                AND COALESCE(CAST(e.basis AS STRING), 'episode')
                <> CASE WHEN {plan} = 1 THEN 'plan' ELSE 'episode' END
                THEN 9
            WHEN n.pupil_id IS NULL THEN 10
            ELSE 0
        END AS reason
    FROM episodes e
    LEFT JOIN (
        SELECT DISTINCT c.pupil_id
        FROM (SELECT DISTINCT pupil_id FROM episodes) c
        JOIN enrolments p ON c.pupil_id = p.pupil_id
    ) n ON e.pupil_id = n.pupil_id
)
SELECT
    f.reason,
    CAST(SUM(f.rows_read) AS BIGINT) AS rows_read,
    CAST(SUM(f.pupils) AS BIGINT) AS pupils
FROM (
    SELECT r.reason, 1 AS rows_read, 0 AS pupils FROM r
    UNION ALL
    SELECT MIN(r.reason) AS reason, 0 AS rows_read, 1 AS pupils FROM r GROUP BY r.pupil_id
) f
GROUP BY f.reason
