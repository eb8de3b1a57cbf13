-- Drills: their steps as timers, what came of them, and what a review reads.

-- name: alert_is_drill
-- Tell whether an alert is a drill: (alert).
select drill from alert where id = $1;
