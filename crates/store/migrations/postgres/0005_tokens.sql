-- A session belongs to the generation of its account that it was begun in: once the account has another it is none.
alter table session add column generation bigint not null default 0;
update session set generation = (select generation from account where account.id = session.account);

-- Signed tokens that may still be about, by their claim "jti". The token is not here.
create table signed_token (
    id      text collate "C" primary key,
    account text not null references account (id) on delete cascade,
    created bigint not null,
    expires bigint not null,
    revoked bigint
);
create index signed_token_by_account on signed_token (account);
create index signed_token_by_end on signed_token (expires);

-- The keys that sign tokens, by their public halves. What is "held" has its private half in secret, as "token-key ID".
create table token_key (
    id      text collate "C" primary key,
    public  bytea not null,
    held    boolean not null,
    created bigint not null,
    used    bigint not null
);
-- The one key there was before: its tokens end with it.
delete from secret where name = 'token-ed25519';

-- The record grows, and what has become too old is swept; nothing in it changes.
create function audit_does_not_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit record does not change';
end
$$;
create trigger audit_does_not_change before update on audit
for each statement execute function audit_does_not_change();
