-- One row per pupil enrolled in an academic year. A pupil with two enrolments has the higher
-- year group, the higher level of need (E before K before N) and free meals if either says so.
SELECT
    k.pupil,
    MAX(e.year_group) AS year_group,
    MIN(e.sen) AS sen,
    MAX(e.fsm6) AS fsm6,
    MIN(e.sex) AS sex
FROM enrolments e
JOIN cohort_keys k ON e.pupil_id = k.pupil_id
WHERE e.academic_year = {period}
GROUP BY k.pupil
