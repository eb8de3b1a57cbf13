-- Replies by SMS of the last minutes by the number they came from: whoever guesses codes is stopped, whichever console process
-- the gateway calls. Wall time, since people who guess do not follow the county's clock.
create table reply_attempt (
    channel text not null,
    digest bytea not null,
    wall_times timestamptz[] not null default '{}',
    primary key (channel, digest)
);
