-- Why the rows of attendance of a year are counted (reason 0) or not, by the pupil's group.
SELECT a.pupil, a.group_code, a.rows_read, a.reason FROM cohort_attended a
