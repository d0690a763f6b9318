-- One row per pupil who has, or had in the look-back, a social worker; everybody else is a peer.
-- Standing: 1 looked after, 2 protection plan, 3 in need, 4 previous. The highest counts.
-- ever = 1: a status of the look-back counts as if it were held now.
SELECT
    n.pupil,
    MIN(n.standing) AS standing
FROM (
    SELECT
        s.pupil,
        CASE WHEN s.last_year >= {year} OR {ever} = 1 THEN s.standing ELSE 4 END AS standing
    FROM cohort_spans s
    WHERE
        s.first_year <= s.last_year
        AND s.first_year <= {year}
        AND s.last_year >= {year} - {look_back}
) n
GROUP BY n.pupil
