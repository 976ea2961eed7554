//! Accounts that lack something: each is told what.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower_bearer::store::{RefreshStore as _, StoreError, StoreErrorKind};
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{Heard, instance, migrated, told},
    support::{Pooler, Server},
};

#[tokio::test]
async fn without_tables_the_cure_is_to_migrate() {
    let database = Server::shared().await.database().await;
    let heard = Heard::default();
    let store = PostgresStore::builder().events(heard.sink());
    let store = store.connect(&database.url).await.unwrap();
    let warnings = store.health().await.unwrap().warnings();
    assert!(
        warnings.iter().any(|warning| warning.contains("migrate()")),
        "{warnings:?}"
    );
    let world = instance(store.clone());
    assert_eq!(world.browser().login(&world, "ada").await.status, 503);
    let error = store.purge().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(told(&error).contains("call migrate()"), "{}", told(&error));
    assert!(
        heard
            .all()
            .iter()
            .any(|event| event.contains("StoreFailed"))
    );
}

#[tokio::test]
async fn without_rights_the_cure_is_a_grant() {
    let (database, store) = migrated().await;
    let name = &database.name;
    database.execute(&format!("CREATE ROLE {name} LOGIN")).await;
    let poor = PostgresStore::connect(&database.url_of(name))
        .await
        .unwrap();
    let world = instance(store);
    world.signed_in("ada").await;
    let key = world.store.last_key();
    let error = poor.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(told(&error).contains("GRANT SELECT"), "{}", told(&error));

    // The named rights are enough, and no more are needed.
    database
        .execute(&format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON tower_bearer_sessions TO {name}; \
             GRANT SELECT ON tower_bearer_schema TO {name}"
        ))
        .await;
    poor.migrate().await.unwrap();
    let world = instance(poor.clone());
    let mut browser = world.signed_in("ada").await;
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(poor.revoke_all(key.subject(), None).await.unwrap().len(), 2);
    poor.purge().await.unwrap();
    let warnings = poor.health().await.unwrap().warnings();
    assert!(
        warnings.iter().all(|warning| warning.contains("fsync")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn an_account_that_may_not_create_is_told_so() {
    let database = Server::shared().await.database().await;
    let name = &database.name;
    database.execute(&format!("CREATE ROLE {name} LOGIN")).await;
    let poor = PostgresStore::connect(&database.url_of(name))
        .await
        .unwrap();
    let error = poor.migrate().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(
        told(&error).contains("CREATE on the schema"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_database_are_refused_at_the_start() {
    let server = Server::with(&[]).await;
    let database = server.database().await;
    server
        .execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
        .await;
    let rules = server.folder().join("data/pg_hba.conf");
    let old = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(
        &rules,
        format!("host all locked 127.0.0.1/32 scram-sha-256\n{old}"),
    )
    .unwrap();
    server.execute("SELECT pg_reload_conf()").await;
    let url = |password: &str, name: &str| {
        let port = server.port();
        format!("postgres://locked:{password}@127.0.0.1:{port}/{name}")
    };
    for url in [url("wrong", &database.name), url("right", "nowhere")] {
        let error = PostgresStore::connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused, "{error:?}");
        let text = format!("{} {error:?}", told(&error));
        assert!(text.contains("user, password and database"), "{text}");
        assert!(!text.contains("wrong") && !text.contains("right"), "{text}");
    }
    let store = PostgresStore::connect(&url("right", &database.name))
        .await
        .unwrap();
    let text = format!("{store:?}");
    assert!(
        !text.contains("right") && text.contains(&database.name),
        "{text}"
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    for url in [
        "localhost:5432",
        "mysql://root@localhost/app",
        "postgres://app@db:port/app",
    ] {
        let error = PostgresStore::connect(url).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused, "{url}: {error:?}");
        assert!(
            told(&error).contains("postgres://user@host/database"),
            "{}",
            told(&error)
        );
    }
}

/// The one mistake that everyone makes once.
#[tokio::test]
async fn prepared_statements_behind_pgbouncer_name_the_setting() {
    let server = Server::shared().await;
    let (database, pooler) = (server.database().await, Pooler::to(server).await);
    let url = pooler.url(&database);
    let error = PostgresStore::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(
        told(&error).contains("prepared_statements(false)"),
        "{}",
        told(&error)
    );
    // A pool of the application's that gets in all the same.
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.extra_float_digits(None);
    let pool = PgPoolOptions::new()
        .max_connections(6)
        .connect_with(options);
    let store = PostgresStore::from(pool.await.unwrap());
    store.migrate().await.unwrap();
    let world = instance(PostgresStore::connect(&database.url).await.unwrap());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    let all = futures_util::future::join_all((0..60).map(|_| store.load(&key))).await;
    let errors: Vec<_> = all.into_iter().filter_map(Result::err).collect();
    let about = |error: &&StoreError| told(error).contains("prepared_statements(false)");
    assert!(errors.iter().any(|error| about(&error)), "{errors:?}");
}
