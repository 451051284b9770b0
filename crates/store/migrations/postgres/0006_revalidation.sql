-- Why the directory does not stand behind a person any more, in one word; and until when somebody looks at them.
alter table account add column out text;
alter table account add column looking_until bigint;
-- Who may act, those who were looked at last at the end.
create index account_by_look on account (directory, checked) where disabled = false and out is null;

-- Whose access was ended, to see when too many lose it one after the other.
create table ended (
    directory text collate "C" not null,
    at        bigint not null
);
create index ended_by_time on ended (directory, at);

-- What only one replica does at a time.
create table lease (
    name   text collate "C" primary key,
    holder text collate "C" not null,
    until  bigint not null
);

-- Something small that every replica is to know.
create table mark (
    name  text collate "C" primary key,
    value bytea not null
);
