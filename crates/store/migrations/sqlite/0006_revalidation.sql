-- Why the directory does not stand behind a person any more, in one word; and until when somebody looks at them.
alter table account add column out text;
alter table account add column looking_until integer;
-- Who may act, those who were looked at last at the end.
create index account_by_look on account (directory, checked) where disabled = false and out is null;

-- Whose access was ended, to see when too many lose it one after the other.
create table ended (
    directory text not null,
    at        integer not null
) strict;
create index ended_by_time on ended (directory, at);

-- What only one replica does at a time.
create table lease (
    name   text primary key,
    holder text not null,
    until  integer not null
) strict;

-- Something small that every replica is to know.
create table mark (
    name  text primary key,
    value blob not null
) strict;
