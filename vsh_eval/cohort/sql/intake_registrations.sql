-- One row per pupil and school of an academic year, with the pupil's suspensions there. A
-- suspension at a school where the pupil has no enrolment makes a registration; schools that the
-- schools table lacks make none.
SELECT
    r.pupil,
    r.unit_number,
    CAST(SUM(r.suspensions) AS INT) AS suspensions,
    MAX(r.excluded) AS excluded
FROM (
    SELECT pupil, unit_number, 0 AS suspensions, 0 AS excluded FROM cohort_enrolments
    UNION ALL
    SELECT pupil, unit_number, suspensions, excluded FROM cohort_suspensions
) r
WHERE r.unit_number IS NOT NULL
GROUP BY r.pupil, r.unit_number
