//! A server whose disk is full.

use tower_bearer::store::RefreshStore as _;

use crate::{
    stage::{
        Heard, assert_ok, assert_unavailable, impatient, instance, migrated_on, refresh_when_back,
    },
    support::Server,
};

/// More than a file of the log, and half a page. PostgreSQL takes a page of which a part fits as a full disk.
const KILOBYTES: u32 = 2048 + 4;

#[tokio::test]
async fn a_full_disk_is_503_for_who_needs_room_and_nothing_that_was_stored_is_lost() {
    let heard = Heard::default();
    let mut server = Server::with_small_files(KILOBYTES).await;
    let (database, store) = migrated_on(&server, impatient().events(heard.sink())).await;
    let world = instance(store.clone());
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    let record = store.load(&key).await.unwrap().into_record().unwrap();
    let mut connection = database.connection().await;
    let fill = "INSERT INTO tower_bearer_sessions \
                SELECT decode(md5(i::text), 'hex'), '', decode(repeat('00', 400), 'hex'), 9000000000000, 0, true \
                FROM generate_series($1::bigint, $1 + 19) AS i";
    let mut full = false;
    for n in 0..1000_i64 {
        full = sqlx::query(fill)
            .bind(n * 20)
            .execute(&mut connection)
            .await
            .is_err();
        if full {
            break;
        }
    }
    assert!(full, "there is no end of the disk");

    // Sessions are read, and a write that needs no more room is done.
    assert_eq!(store.load(&key).await.unwrap().record(), Some(&record));
    let mut refused = None;
    for n in 0..200 {
        let reply = world.browser().login(&world, &format!("user-{n}")).await;
        if reply.status != 200 {
            assert_unavailable(&reply);
            refused = Some(n);
            break;
        }
    }
    assert!(refused.is_some(), "each found room");
    let told = heard.all();
    let is_told = |event: &&String| event.contains("Refused") && event.contains("make room");
    assert!(told.iter().any(|event| is_told(&event)), "{told:?}");

    server.restart_with_room().await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(world.browser().login(&world, "bob").await.status, 200);
    assert_eq!(
        store
            .load(&key)
            .await
            .unwrap()
            .record()
            .unwrap()
            .generation(),
        1
    );
}
