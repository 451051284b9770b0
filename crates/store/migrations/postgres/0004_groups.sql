-- A local group follows one group of one directory; dn is its normal form. The key is the SHA-256 of all three: a DN may be
-- longer than a place in a tree may be.
create table local_group (
    id        text collate "C" primary key,
    name      text collate "C" not null,
    directory text collate "C" not null,
    dn        text collate "C" not null
);
create index local_group_by_name on local_group (name);

create table group_permission (
    local_group text collate "C" not null references local_group (id) on delete cascade,
    permission  text collate "C" not null,
    primary key (local_group, permission)
);

-- What the accounts' local_groups say, to be looked up from either side.
create table membership (
    account     text not null references account (id) on delete cascade,
    local_group text collate "C" not null references local_group (id) on delete cascade,
    primary key (account, local_group)
);
create index membership_by_group on membership (local_group);

create table account_permission (
    account    text not null references account (id) on delete cascade,
    permission text collate "C" not null,
    primary key (account, permission)
);

alter table account rename column permissions to given;

-- What is granted to an account itself and to its local groups, as JSON.
create view held as select
    account.id as account,
    (select coalesce(json_agg(permission), '[]')::text from account_permission
        where account_permission.account = account.id) as granted,
    (select coalesce(json_agg(distinct permission), '[]')::text from membership
        join local_group on local_group.id = membership.local_group and local_group.dn <> ''
        join group_permission on group_permission.local_group = membership.local_group
        where membership.account = account.id) as by_groups
from account;
