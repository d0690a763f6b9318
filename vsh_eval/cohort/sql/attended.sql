-- What each pupil attended at each school in a year, with all that is counted of the pupil, and why
-- it is counted (reason 0) or not.
SELECT
    a.pupil,
    a.unit_number,
    a.rows_read,
    a.possible,
    a.authorised,
    a.unauthorised,
    p.record_key,
    p.characteristics,
    COALESCE(p.group_code, 5) AS group_code,
    COALESCE(p.other_code, 5) AS other_code,
    CASE
        WHEN n.years = 0 THEN 2
        WHEN p.pupil IS NULL THEN 3
        WHEN c.year_group IS NULL THEN 4
        WHEN a.unit_number IS NULL THEN 5
        WHEN a.possible <= 0 THEN 6
        ELSE 0
    END AS reason
FROM cohort_attendance a
CROSS JOIN (
    SELECT COUNT(*) AS years
    FROM cohort_counted
    WHERE origin = 'attendance' AND time_period = {period}
) n
LEFT JOIN cohort_pupils p ON a.pupil = p.pupil
LEFT JOIN (
    SELECT DISTINCT year_group
    FROM cohort_counted
    WHERE origin = 'attendance' AND time_period = {period}
) c ON p.year_group = c.year_group
