-- Every child named in a return, once.
SELECT pupil_id FROM enrolments WHERE pupil_id IS NOT NULL
UNION
SELECT pupil_id FROM attendance WHERE pupil_id IS NOT NULL
UNION
SELECT pupil_id FROM cohort_suspended WHERE pupil_id IS NOT NULL
UNION
SELECT pupil_id FROM attainment WHERE pupil_id IS NOT NULL
UNION
SELECT pupil_id FROM episodes WHERE pupil_id IS NOT NULL
