-- One row per enrolment of an academic year. The school is empty where the schools table lacks it.
SELECT
    k.pupil,
    k.record_key,
    u.unit_number,
    e.year_group,
    a.sen_number,
    e.fsm6,
    b.sex_number
FROM enrolments e
JOIN cohort_keys k ON e.pupil_id = k.pupil_id
LEFT JOIN cohort_urns u ON e.urn = u.urn
LEFT JOIN (SELECT DISTINCT sen, sen_number FROM cohort_characteristics) a ON e.sen = a.sen
LEFT JOIN (SELECT DISTINCT sex, sex_number FROM cohort_characteristics) b ON e.sex = b.sex
WHERE e.academic_year = {period}
