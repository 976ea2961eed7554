//! The file, and what keeps a store from starting.

use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    time::Duration,
};

use tokio::task::JoinSet;
use tower_bearer::store::StoreErrorKind;
use tower_bearer_sqlx::SqliteStore;

use crate::place::{Place, cure, service};

#[cfg(unix)]
#[tokio::test]
async fn the_files_belong_to_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let (world, store) = place.service().await;
    world.signed_in("ada").await;
    let mut names = Vec::new();
    for file in fs::read_dir(place.folder()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
        names.push(file.file_name());
    }
    assert_eq!(names.len(), 3, "{names:?}");

    // The user's decision stays.
    store.close().await;
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let store = place.open().await;
    let mode = fs::metadata(place.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let warnings = store.health().await.unwrap().warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("chmod 600"), "{warnings:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let place = Place::new();
    let text = "this is no database, and it is long enough to be taken for one at a glance";
    fs::write(place.path(), text).unwrap();
    let error = SqliteStore::open(place.path()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(cure(&error).contains("no SQLite database"), "{error:?}");
    assert_eq!(fs::read_to_string(place.path()).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_database_is_corrupt() {
    let place = Place::new();
    let (world, store) = place.service().await;
    for user in 0..100 {
        world.signed_in(&format!("user-{user}")).await;
    }
    let mut browser = world.signed_in("ada").await;
    store.close().await;
    // All but the first page, which names the tables.
    let length = fs::metadata(place.path()).unwrap().len();
    let mut file = OpenOptions::new().write(true).open(place.path()).unwrap();
    file.seek(SeekFrom::Start(4096)).unwrap();
    let rest = usize::try_from(length).unwrap() - 4096;
    file.write_all(&vec![0xff; rest]).unwrap();
    drop(file);

    let error = SqliteStore::open(place.path()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(cure(&error).contains("restore"), "{error:?}");
    let pool = sqlx::SqlitePool::connect_with(place.options())
        .await
        .unwrap();
    let (world, _) = service(async |store| store.share(pool).unwrap()).await;
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(reply.set_cookie(), None, "the cookie is kept");
}

#[tokio::test]
async fn a_path_that_cannot_be_one_is_named() {
    let place = Place::new();
    let path = place.folder().join("nowhere/sessions.db");
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(cure(&error).contains("nowhere/sessions.db"), "{error:?}");

    let error = SqliteStore::open(place.folder()).await.unwrap_err();
    assert!(cure(&error).contains("can neither be opened"), "{error:?}");

    let error = SqliteStore::open(":memory:").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(cure(&error).contains("MemoryStore"), "{error:?}");
    assert!(!fs::exists(":memory:").unwrap());
}

#[tokio::test]
async fn a_name_that_sqlite_takes_for_an_address_is_a_file() {
    let place = Place::new();
    let path = place.folder().join("file:sessions.db?mode=memory");
    SqliteStore::open(&path).await.unwrap();
    assert!(path.is_file());
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named() {
    let place = Place::new();
    let builder = SqliteStore::builder;
    let hours = Duration::from_secs(7200);
    for (builder, setting) in [
        (builder().timeout(Duration::ZERO), "timeout: "),
        (builder().timeout(hours), "timeout: "),
        (builder().readers(0), "readers: "),
    ] {
        let error = builder.clone().open(place.path()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused);
        assert!(cure(&error).starts_with(setting), "{error:?}");
        let error = builder.share(place.pool().await).unwrap_err();
        assert!(cure(&error).starts_with(setting), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_of_stores_open_one_new_file_at_once() {
    let place = Place::new();
    let mut stores = JoinSet::new();
    for _ in 0..24 {
        stores.spawn(SqliteStore::open(place.path()));
    }
    while let Some(store) = stores.join_next().await {
        let health = store.unwrap().unwrap().health().await.unwrap();
        assert!(health.warnings().is_empty(), "{:?}", health.warnings());
    }
}

#[tokio::test]
async fn debug_shows_the_file_and_no_session() {
    let place = Place::new();
    let (world, store) = place.service().await;
    world.signed_in("ada-lovelace").await;
    let shown = format!("{store:?} {:?}", store.health().await.unwrap());
    assert!(shown.contains("sessions.db"), "{shown}");
    assert!(!shown.contains("ada-lovelace"), "{shown}");
}

#[tokio::test]
async fn a_closed_store_says_so_and_leaves_the_pool_of_the_application_open() {
    let place = Place::new();
    let (world, own) = place.service().await;
    let mut browser = world.signed_in("ada").await;
    own.close().await;
    assert_eq!(browser.refresh(&world).await.status, 503);
    for error in [
        own.purge().await.unwrap_err(),
        own.migrate().await.unwrap_err(),
        own.health().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert_eq!(cure(&error), "the store is closed");
    }

    let pool = place.pool().await;
    let shared = SqliteStore::from(pool.clone());
    shared.migrate().await.unwrap();
    shared.close().await;
    assert_eq!(
        cure(&shared.purge().await.unwrap_err()),
        "the store is closed"
    );
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
}
