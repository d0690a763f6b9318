-- One row per enrolment of an academic year, with the place of each of the pupil's characteristics.
-- The school is empty where the schools table lacks it.
SELECT
    k.pupil,
    k.record_key,
    u.unit_number,
    {characteristic}.place AS {characteristic}_place,
    e.year_group
FROM enrolments e
JOIN cohort_keys k ON e.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON e.urn = u.urn
LEFT JOIN cohort_{characteristic} {characteristic} ON e.{characteristic} = {characteristic}.code
WHERE e.academic_year = {period}
