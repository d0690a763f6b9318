-- A number for every combination of the characteristics that the enrolments name. A pupil with two
-- enrolments can have one that no enrolment has, so it is every sen with every fsm6 and so on. Words
-- have a number in their own order, unless they are missing.
SELECT
    CAST(ROW_NUMBER() OVER (ORDER BY a.sen, b.fsm6, c.sex, d.year_group) AS INT) AS characteristics,
    a.sen,
    a.sen_number,
    b.fsm6,
    c.sex,
    c.sex_number,
    d.year_group
FROM (
    SELECT
        sen,
        CASE WHEN sen IS NOT NULL THEN CAST(ROW_NUMBER() OVER (ORDER BY sen) AS INT) END
            AS sen_number
    FROM (SELECT DISTINCT sen FROM enrolments) s
) a
CROSS JOIN (SELECT DISTINCT fsm6 FROM enrolments) b
CROSS JOIN (
    SELECT
        sex,
        CASE WHEN sex IS NOT NULL THEN CAST(ROW_NUMBER() OVER (ORDER BY sex) AS INT) END
            AS sex_number
    FROM (SELECT DISTINCT sex FROM enrolments) x
) c
CROSS JOIN (SELECT DISTINCT year_group FROM enrolments) d
