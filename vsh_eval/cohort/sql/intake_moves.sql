-- One row per pupil who has two schools or more in an academic year, successors counted as one
-- school. Schools that the schools table lacks are not counted.
SELECT
    e.pupil,
    COUNT(*) AS schools
FROM (
    SELECT pupil, unit_id FROM cohort_enrolments_{period} WHERE unit_id IS NOT NULL
    UNION
    SELECT pupil, unit_id FROM cohort_suspensions_{period} WHERE unit_id IS NOT NULL
) e
GROUP BY e.pupil
HAVING COUNT(*) > 1
