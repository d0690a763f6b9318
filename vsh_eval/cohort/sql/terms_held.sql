-- How many registrations had a possible session in each term of each year.
SELECT
    academic_year AS time_period,
    term,
    COUNT(*) AS registrations
FROM attendance
WHERE sess_possible > 0
GROUP BY academic_year, term
