-- One row per pupil enrolled in an academic year. Of two enrolments the higher place counts, such as
-- the higher level of need; the places of a pupil's characteristics add up to the number of the
-- combination. The groups are those of the run's own rule and of the other one.
SELECT
    p.pupil,
    p.record_key,
    p.year_group,
    p.characteristics,
    CAST(COALESCE(m.group_code, 5) AS TINYINT) AS group_code,
    CAST(COALESCE(m.other_code, 5) AS TINYINT) AS other_code
FROM (
    SELECT
        e.pupil,
        MAX(e.record_key) AS record_key,
        MAX(e.year_group) AS year_group,
        CAST(
            0
            + COALESCE(MAX(e.{characteristic}_place), 0)
            AS INT
        ) AS characteristics
    FROM cohort_enrolments e
    GROUP BY e.pupil
) p
LEFT JOIN cohort_membership m ON p.pupil = m.pupil
