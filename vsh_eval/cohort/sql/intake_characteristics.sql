-- A number for every combination of the characteristics that the enrolments name. A pupil with two
-- enrolments can have one that no enrolment has, so it is every sen with every fsm6 and so on.
SELECT
    CAST(ROW_NUMBER() OVER (ORDER BY a.sen, b.fsm6, c.sex, d.year_group) AS INT) AS characteristics,
    a.sen,
    b.fsm6,
    c.sex,
    d.year_group
FROM (SELECT DISTINCT sen FROM enrolments) a
CROSS JOIN (SELECT DISTINCT fsm6 FROM enrolments) b
CROSS JOIN (SELECT DISTINCT sex FROM enrolments) c
CROSS JOIN (SELECT DISTINCT year_group FROM enrolments) d
