-- The first three of SQLite's, together. Times are microseconds since 1970 in UTC. Maps and lists are JSON in text: they
-- are written and read whole. Names sort by bytes, whatever the database's own order is. Text never holds U+0000, see
-- src/text.rs.
create table account (
    id            text primary key,
    directory     text collate "C" not null,
    external_id   text collate "C" not null,
    username      text collate "C" not null,
    local_name    text collate "C" not null unique,
    dn            text not null,
    fields        text not null,
    lists         text not null,
    flags         text not null,
    groups        text not null,
    local_groups  text not null,
    permissions   text not null,
    disabled      boolean not null,
    generation    bigint not null,
    generation_at bigint,
    first_seen    bigint not null,
    last_login    bigint,
    checked       bigint not null,
    attributes    text not null default '{}',
    unique (directory, external_id)
);
create index account_by_username on account (directory, username);

-- The key is the SHA-256 of what the cookie holds, never the cookie.
create table session (
    digest     bytea primary key,
    handle     text collate "C" not null,
    account    text not null references account (id) on delete cascade,
    created    bigint not null,
    last_seen  bigint not null,
    expires    bigint not null,
    remembered boolean not null,
    address    text,
    agent      text,
    warnings   text not null default '[]'
);
create index session_by_account on session (account);
create index session_by_handle on session (handle);

create table personal_token (
    digest    bytea primary key,
    id        text collate "C" not null,
    account   text not null references account (id) on delete cascade,
    name      text,
    created   bigint not null,
    expires   bigint,
    last_used bigint
);
create index personal_token_by_account on personal_token (account);
create index personal_token_by_id on personal_token (id);

create table counter (
    key   text collate "C" primary key,
    wrong bigint not null,
    last  bigint not null
);

create table reservation (
    key     text collate "C" not null,
    id      bigint not null,
    at      bigint not null,
    expires bigint not null,
    primary key (key, id)
);
create index reservation_by_id on reservation (id);

create table secret (
    name  text collate "C" primary key,
    value bytea not null
);

-- The last numbers given out, one row. A sequence would give them out in another order than they are committed.
create table numbers (
    audit  bigint not null,
    change bigint not null
);
insert into numbers (audit, change) values (0, 0);

create table audit (
    number     bigint primary key,
    at         bigint not null,
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
);
-- By hash, because a name that somebody typed may be longer than a place in a tree may be.
create index audit_by_username on audit using hash (username);
create index audit_by_time on audit (at);

-- What other processes must know of: an account whose rights or sessions changed.
create table change (
    number  bigint primary key,
    account text collate "C" not null,
    at      bigint not null
);
create index change_by_time on change (at);
