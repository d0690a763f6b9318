-- One row per enrolment of an academic year. The school is empty where the schools table lacks it.
SELECT
    k.pupil,
    k.record_key,
    u.unit_number,
    e.year_group,
    e.sen,
    e.fsm6,
    e.sex
FROM enrolments e
JOIN cohort_keys k ON e.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON e.urn = u.urn
WHERE e.academic_year = {period}
