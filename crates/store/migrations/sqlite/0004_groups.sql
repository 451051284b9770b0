-- A local group follows one group of one directory; dn is its normal form. The key is the SHA-256 of all three: a DN may be
-- longer than a key should be.
create table local_group (
    id        text primary key,
    name      text not null,
    directory text not null,
    dn        text not null
) strict;
create index local_group_by_name on local_group (name);

create table group_permission (
    local_group text not null references local_group (id) on delete cascade,
    permission  text not null,
    primary key (local_group, permission)
) strict, without rowid;

-- What the accounts' local_groups say, to be looked up from either side.
create table membership (
    account     text not null references account (id) on delete cascade,
    local_group text not null references local_group (id) on delete cascade,
    primary key (account, local_group)
) strict, without rowid;
create index membership_by_group on membership (local_group);

create table account_permission (
    account    text not null references account (id) on delete cascade,
    permission text not null,
    primary key (account, permission)
) strict, without rowid;

alter table account rename column permissions to given;

-- Local groups were names; which group of the directory they followed is seen at the next login or look-up.
update account set local_groups =
    (select json_group_array(json_object('name', name.value, 'dn', '')) from json_each(account.local_groups) as name);

-- What is granted to an account itself and to its local groups, as JSON.
create view held as select
    account.id as account,
    (select json_group_array(permission) from account_permission where account_permission.account = account.id) as granted,
    (select json_group_array(distinct permission) from membership
        join local_group on local_group.id = membership.local_group and local_group.dn <> ''
        join group_permission on group_permission.local_group = membership.local_group
        where membership.account = account.id) as by_groups
from account;
