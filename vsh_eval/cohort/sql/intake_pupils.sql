-- One row per pupil enrolled in an academic year. A pupil with two enrolments has the higher
-- year group, the higher level of need (E before K before N) and free meals if either says so.
-- The groups are those of the run's own rule and of the other one.
SELECT
    p.pupil,
    p.record_key,
    c.year_group,
    c.characteristics,
    CAST(COALESCE(m.group_code, 5) AS TINYINT) AS group_code,
    CAST(COALESCE(m.other_code, 5) AS TINYINT) AS other_code
FROM (
    SELECT
        e.pupil,
        MAX(e.record_key) AS record_key,
        MAX(e.year_group) AS year_group,
        MIN(e.sen_number) AS sen_number,
        MAX(e.fsm6) AS fsm6,
        MIN(e.sex_number) AS sex_number
    FROM cohort_enrolments_{period} e
    GROUP BY e.pupil
) p
JOIN cohort_characteristics c
    ON
        p.year_group IS NOT DISTINCT FROM c.year_group
        AND p.sen_number IS NOT DISTINCT FROM c.sen_number
        AND p.fsm6 IS NOT DISTINCT FROM c.fsm6
        AND p.sex_number IS NOT DISTINCT FROM c.sex_number
LEFT JOIN cohort_membership_{period} m ON p.pupil = m.pupil
