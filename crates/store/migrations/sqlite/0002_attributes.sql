-- What the directory said of a person at the last look, as JSON: values that are no clean text as {"base64": ".."}.
alter table account add column attributes text not null default '{}';
