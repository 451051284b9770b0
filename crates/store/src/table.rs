//! Every table with its columns, for what handles them all alike: copying a store.

/// A table.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Of)],
    /// So many of the first columns are its key; 0: it has none, and two rows may be alike.
    pub(crate) key: usize,
}

/// What a column holds. Any may be null as far as this list knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Text,
    Number,
    Bytes,
    Flag,
}

use Of::{Bytes, Flag, Number, Text};

/// All of them, those that others refer to first.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "account",
        key: 1,
        columns: &[
            ("id", Text),
            ("directory", Text),
            ("external_id", Text),
            ("username", Text),
            ("local_name", Text),
            ("dn", Text),
            ("attributes", Text),
            ("fields", Text),
            ("lists", Text),
            ("flags", Text),
            ("groups", Text),
            ("local_groups", Text),
            ("given", Text),
            ("disabled", Flag),
            ("generation", Number),
            ("generation_at", Number),
            ("first_seen", Number),
            ("last_login", Number),
            ("checked", Number),
            ("out", Text),
            ("looking_until", Number),
        ],
    },
    Table {
        name: "local_group",
        key: 1,
        columns: &[("id", Text), ("name", Text), ("directory", Text), ("dn", Text)],
    },
    Table { name: "group_permission", key: 2, columns: &[("local_group", Text), ("permission", Text)] },
    Table { name: "membership", key: 2, columns: &[("account", Text), ("local_group", Text)] },
    Table { name: "account_permission", key: 2, columns: &[("account", Text), ("permission", Text)] },
    Table {
        name: "session",
        key: 1,
        columns: &[
            ("digest", Bytes),
            ("handle", Text),
            ("account", Text),
            ("generation", Number),
            ("created", Number),
            ("last_seen", Number),
            ("expires", Number),
            ("remembered", Flag),
            ("address", Text),
            ("agent", Text),
            ("warnings", Text),
        ],
    },
    Table {
        name: "personal_token",
        key: 1,
        columns: &[
            ("digest", Bytes),
            ("id", Text),
            ("account", Text),
            ("name", Text),
            ("created", Number),
            ("expires", Number),
            ("last_used", Number),
        ],
    },
    Table {
        name: "signed_token",
        key: 1,
        columns: &[
            ("id", Text),
            ("account", Text),
            ("created", Number),
            ("expires", Number),
            ("revoked", Number),
        ],
    },
    Table {
        name: "token_key",
        key: 1,
        columns: &[("id", Text), ("public", Bytes), ("held", Flag), ("created", Number), ("used", Number)],
    },
    Table { name: "ended", key: 0, columns: &[("directory", Text), ("at", Number)] },
    Table { name: "lease", key: 1, columns: &[("name", Text), ("holder", Text), ("until", Number)] },
    Table { name: "mark", key: 1, columns: &[("name", Text), ("value", Bytes)] },
    Table { name: "secret", key: 1, columns: &[("name", Text), ("value", Bytes)] },
    Table { name: "counter", key: 1, columns: &[("key", Text), ("wrong", Number), ("last", Number)] },
    Table {
        name: "reservation",
        key: 2,
        columns: &[("key", Text), ("id", Number), ("at", Number), ("expires", Number)],
    },
    Table {
        name: "audit",
        key: 1,
        columns: &[
            ("number", Number),
            ("at", Number),
            ("event", Text),
            ("account", Text),
            ("directory", Text),
            ("username", Text),
            ("outcome", Text),
            ("reason", Text),
            ("detail", Text),
            ("address", Text),
            ("agent", Text),
            ("request_id", Text),
        ],
    },
    Table { name: "change", key: 1, columns: &[("number", Number), ("account", Text), ("at", Number)] },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::database::Purpose;
    use crate::sql::Connection;
    use crate::store::SqlStore;

    type Columns = BTreeMap<String, Of>;

    fn listed() -> BTreeMap<String, Columns> {
        let columns =
            |table: &Table| table.columns.iter().map(|(name, of)| ((*name).to_owned(), *of)).collect();
        TABLES.iter().map(|table| (table.name.to_owned(), columns(table))).collect()
    }

    /// The tables of a database, from its own catalogue.
    async fn found(c: &mut Connection<'_>) -> BTreeMap<String, Columns> {
        let rows = c
            .query_in(
                "select m.name, c.name, lower(c.type), '' from sqlite_master m, pragma_table_info(m.name) c \
                 where m.type = 'table' and m.name not in ('_sqlx_migrations', 'sqlite_sequence')",
                "select c.table_name::text, c.column_name::text, c.data_type::text, '' \
                 from information_schema.columns c join information_schema.tables t using (table_schema, table_name) \
                 where table_schema = current_schema() and t.table_type = 'BASE TABLE' \
                 and table_name not in ('_sqlx_migrations', 'numbers')",
            )
            .fetch_all()
            .await
            .expect("the catalogue can be read");
        let listed = listed();
        let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
        for row in &rows {
            let (table, column, kind): (String, String, String) =
                (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
            let of = match kind.as_str() {
                "text" => Text,
                // SQLite has no type of its own for flags.
                "integer" if listed.get(&table).and_then(|columns| columns.get(&column)) == Some(&Flag) => {
                    Flag
                }
                "integer" | "bigint" => Number,
                "blob" | "bytea" => Bytes,
                "boolean" => Flag,
                other => panic!("{table}.{column} is of the type {other}, which no list knows"),
            };
            tables.entry(table).or_default().insert(column, of);
        }
        tables
    }

    async fn agrees(store: &SqlStore) {
        let mut held = store.database.begin(Purpose::Read).await.expect("it reads");
        assert_eq!(found(&mut held.connection()).await, listed(), "the list is what a copy takes along");
    }

    #[tokio::test]
    async fn no_table_and_no_column_is_missing_from_the_list() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("a.db").display());
        agrees(&crate::open_sql(&url).await.expect("it opens").0).await;
        let url = testkit::postgres::Postgres::shared().database();
        agrees(&crate::open_sql(&url).await.expect("it opens").0).await;
    }
}
