-- A session belongs to the generation of its account that it was begun in: once the account has another it is none.
alter table session add column generation integer not null default 0;
update session set generation = (select generation from account where account.id = session.account);

-- Signed tokens that may still be about, by their claim "jti". The token is not here.
create table signed_token (
    id      text primary key,
    account text not null references account (id) on delete cascade,
    created integer not null,
    expires integer not null,
    revoked integer
) strict;
create index signed_token_by_account on signed_token (account);
create index signed_token_by_end on signed_token (expires);

-- The keys that sign tokens, by their public halves. What is "held" has its private half in secret, as "token-key ID".
create table token_key (
    id      text primary key,
    public  blob not null,
    held    integer not null,
    created integer not null,
    used    integer not null
) strict;
-- The one key there was before: its tokens end with it.
delete from secret where name = 'token-ed25519';

-- The record grows, and what has become too old is swept; nothing in it changes.
create trigger audit_does_not_change before update on audit
begin
    select raise(abort, 'the audit record does not change');
end;
