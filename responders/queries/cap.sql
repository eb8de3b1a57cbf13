-- What our alerts said, version by version, for CAP messages.

-- name: cap_versions
-- List versions that are known in words, newest first: (area, limit, alert, version, public categories or null). With
-- public categories, which is the view of machines, drills are left out, and so is what rests on restricted warnings
-- alone and never rested on anything else. What was held back was told to nobody; findings on trial are nobody's ground.
select
    said.alert, said.version, said.change, said.level, said.reason, said.opened_at, said.changed_at, said.zh, said.en,
    said.evidence::text as evidence, alert.category, alert.place, alert.drill,
    place.record::text as place_record, county.record::text as county_record,
    array(
        select earlier.version from alert_version earlier
        where earlier.alert = said.alert and earlier.version < said.version
            and earlier.zh is not null and earlier.held_back is null
        order by earlier.version
    ) as earlier_versions,
    array(
        select earlier.changed_at from alert_version earlier
        where earlier.alert = said.alert and earlier.version < said.version
            and earlier.zh is not null and earlier.held_back is null
        order by earlier.version
    ) as earlier_at
from alert_version said
join alert on alert.id = said.alert
left join area place on place.code = alert.place
left join area county on county.code = alert.county
where said.zh is not null and said.held_back is null and starts_with(alert.place, $1)
    and ($3::uuid is null or said.alert = $3) and ($4::integer is null or said.version = $4)
    and (
        $5::text[] is null
        or alert.category = any($5) and not alert.drill and exists (
            select from alert_version shown
            where shown.alert = said.alert and shown.version <= said.version and (
                shown.evidence = '[]'
                or jsonb_path_exists(
                    shown.evidence,
                    '$[*] ? ((!exists(@.restricted) || @.restricted == false) && (!exists(@.shadow) || @.shadow == false))'
                )
            )
        )
    )
order by said.changed_at desc, said.alert, said.version desc limit $2;
