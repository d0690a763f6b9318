-- One row per pupil who has two schools or more in an academic year, successors counted as one
-- school. Schools that the schools table lacks are not counted.
SELECT
    r.pupil,
    COUNT(*) AS schools
FROM cohort_registrations r
GROUP BY r.pupil
HAVING COUNT(*) > 1
