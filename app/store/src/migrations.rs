use std::borrow::Cow;

use sqlx::{
    PgPool, SqlStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::error::StoreError;

/// Number, description and text of each migration.
type Migrations = &'static [(i64, &'static str, &'static str)];

// The `migrate!` macro of sqlx would compile both database drivers a second time for the build.
const SQLITE: Migrations = &[(1, "init", include_str!("../../../migrations/sqlite/0001_init.sql"))];
const POSTGRES: Migrations =
    &[(1, "init", include_str!("../../../migrations/postgres/0001_init.sql"))];

/// Creates the tables of a file, or brings them up to date.
pub async fn migrate_file(pool: &SqlitePool) -> Result<(), StoreError> {
    migrator(SQLITE).run(pool).await.map_err(|error| StoreError::Failed(error.to_string()))
}

/// Creates the tables of a server, or brings them up to date. Concurrent processes take turns.
pub async fn migrate_server(pool: &PgPool) -> Result<(), StoreError> {
    migrator(POSTGRES).run(pool).await.map_err(|error| StoreError::Failed(error.to_string()))
}

fn migrator(migrations: Migrations) -> Migrator {
    let migration = |(number, description, sql): &(i64, &'static str, &'static str)| {
        let (description, sql) = (Cow::Borrowed(*description), SqlStr::from_static(sql));
        Migration::new(*number, description, MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(migrations.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Returns the columns of each table. Types are those of SQLite.
    fn tables(sql: &str) -> BTreeMap<&str, BTreeSet<(&str, &'static str)>> {
        let (mut tables, mut table) = (BTreeMap::new(), "");
        for line in sql.lines() {
            if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                table = name.trim_end_matches(" (");
                tables.insert(table, BTreeSet::new());
            } else if let Some(column) = line.strip_prefix("    ") {
                let mut words = column.split_whitespace();
                let (name, kind) = (words.next().unwrap(), words.next().unwrap());
                let kind = match kind.trim_end_matches(',') {
                    "INTEGER" | "BIGINT" => "INTEGER",
                    "BLOB" | "BYTEA" => "BLOB",
                    "TEXT" => "TEXT",
                    _ => continue, // a constraint or a comment
                };
                tables.get_mut(table).unwrap().insert((name, kind));
            }
        }
        tables
    }

    #[test]
    fn shared_tables_have_equal_columns() {
        let (mut sqlite, postgres) = (tables(SQLITE[0].2), tables(POSTGRES[0].2));
        assert!(sqlite.get_mut("generations").unwrap().remove(&("id", "INTEGER")), "a file's only");
        let shared: Vec<_> =
            sqlite.keys().filter(|name| postgres.contains_key(*name)).copied().collect();
        let expected = [
            "api_keys",
            "channels",
            "deliveries",
            "event_cursors",
            "event_marks",
            "event_readers",
            "event_state",
            "events",
            "expenses",
            "generations",
            "holds",
            "sales",
            "statements",
            "transactions",
            "webhooks",
        ];
        assert_eq!(shared, expected);
        for name in shared {
            assert!(!sqlite[name].is_empty(), "{name}");
            assert_eq!(sqlite[name], postgres[name], "{name}");
        }
    }

    #[tokio::test]
    async fn second_migration_changes_nothing() {
        let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
        migrate_file(&pool).await.unwrap();
        sqlx::query("UPDATE journal SET applied = 7").execute(&pool).await.unwrap();
        migrate_file(&pool).await.unwrap();
        let row: (i64,) =
            sqlx::query_as("SELECT applied FROM journal").fetch_one(&pool).await.unwrap();
        assert_eq!(row.0, 7);
    }
}
