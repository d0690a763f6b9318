-- One row per pupil enrolled in an academic year. A pupil with two enrolments has the higher
-- year group, the higher level of need (E before K before N) and free meals if either says so.
SELECT
    e.pupil,
    MAX(e.record_key) AS record_key,
    MAX(e.year_group) AS year_group,
    MIN(e.sen) AS sen,
    MAX(e.fsm6) AS fsm6,
    MIN(e.sex) AS sex
FROM cohort_enrolments_{period} e
GROUP BY e.pupil
