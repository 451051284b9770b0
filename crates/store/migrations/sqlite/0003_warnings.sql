-- What the directory had to say to the person at the login that began the session, as JSON.
alter table session add column warnings text not null default '[]';
