-- Times are microseconds since 1970 in UTC. Maps and lists of an account are JSON: they are written and read whole.
create table account (
    id            text primary key,
    directory     text not null,
    external_id   text not null,
    username      text not null,
    local_name    text not null unique,
    dn            text not null,
    fields        text not null,
    lists         text not null,
    flags         text not null,
    groups        text not null,
    local_groups  text not null,
    permissions   text not null,
    disabled      integer not null,
    generation    integer not null,
    generation_at integer,
    first_seen    integer not null,
    last_login    integer,
    checked       integer not null,
    unique (directory, external_id)
) strict;
create index account_by_username on account (directory, username);

-- The key is the SHA-256 of what the cookie holds, never the cookie.
create table session (
    digest     blob primary key,
    handle     text not null,
    account    text not null references account (id) on delete cascade,
    created    integer not null,
    last_seen  integer not null,
    expires    integer not null,
    remembered integer not null,
    address    text,
    agent      text
) strict;
create index session_by_account on session (account);
create index session_by_handle on session (handle);

create table personal_token (
    digest    blob primary key,
    id        text not null,
    account   text not null references account (id) on delete cascade,
    name      text,
    created   integer not null,
    expires   integer,
    last_used integer
) strict;
create index personal_token_by_account on personal_token (account);
create index personal_token_by_id on personal_token (id);

create table counter (
    key   text primary key,
    wrong integer not null,
    last  integer not null
) strict;

create table reservation (
    key     text not null,
    id      integer not null,
    at      integer not null,
    expires integer not null,
    primary key (key, id)
) strict;
create index reservation_by_id on reservation (id);

create table secret (
    name  text primary key,
    value blob not null
) strict;

create table audit (
    number     integer primary key autoincrement,
    at         integer not null,
    event      text not null,
    account    text,
    directory  text,
    username   text,
    outcome    text,
    reason     text,
    detail     text,
    address    text,
    agent      text,
    request_id text
) strict;
create index audit_by_username on audit (username, number);
create index audit_by_time on audit (at);

-- What other processes must know of: an account whose rights or sessions changed.
create table change (
    number  integer primary key autoincrement,
    account text not null,
    at      integer not null
) strict;
create index change_by_time on change (at);
