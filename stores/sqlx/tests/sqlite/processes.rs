//! The processes of one machine over one file, and the death of one of them.

use std::env;

use crate::{
    place::{Place, path_of_the_other, service, tell},
    support::world::{Browser, World},
};

/// Where the other process dies.
const DIES: &str = "TOWER_BEARER_DIES";

/// A browser whose cookies are known to both processes.
fn known(cookies: &str, world: &World) -> Browser {
    let (cookie, jar) = cookies.split_once(' ').unwrap();
    Browser {
        cookie: Some(cookie.to_owned()),
        jar: Some(jar.to_owned()),
        ..world.browser()
    }
}

/// Signs in, tells the cookies, and refreshes until the moment at which it is killed.
#[tokio::test]
async fn a_process_that_is_killed() {
    let Some(path) = path_of_the_other() else {
        return;
    };
    let dies = env::var(DIES).unwrap();
    let (world, _) = service(async |store| store.open(path).await.unwrap()).await;
    let mut browser = world.signed_in("ada").await;
    tell(&format!(
        "{} {}",
        browser.cookie.clone().unwrap(),
        browser.jar.clone().unwrap()
    ));
    world.secs(120);
    if dies == "before the swap" {
        *world.between.lock().unwrap() = Some(Box::pin(async {
            tell("now");
            std::future::pending().await
        }));
    }
    browser.refresh(&world).await;
    // Stored, and not answered yet.
    tell("now");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_process_killed_around_the_swap_costs_no_user_the_session() {
    for (dies, generation) in [("before the swap", 0), ("after the swap", 1)] {
        let place = Place::new();
        let (world, _) = place.service().await;
        let mut other = place.other_with("processes::a_process_that_is_killed", DIES, dies);
        let mut browser = known(&other.told(), &world);
        assert_eq!(other.told(), "now");
        other.kill();

        let record = stored(&place).await;
        assert_eq!(record.generation(), generation, "{dies}");
        world.secs(125);
        // The client sends its request again, to the process that came after.
        let reply = browser.refresh(&world).await;
        assert_eq!(reply.status, 200, "{dies}: {reply:?}");
        assert_eq!(stored(&place).await.generation(), 1, "{dies}");
        assert_eq!(browser.refresh(&world).await.status, 200, "{dies}");
        assert_eq!(world.count("ReuseDetected"), 0, "{dies}");
    }
}

/// The one record that the file holds.
async fn stored(place: &Place) -> tower_bearer::store::SessionRecord {
    let bytes: Vec<u8> = sqlx::query_scalar("SELECT record FROM tower_bearer_sessions")
        .fetch_one(&mut place.connection().await)
        .await
        .unwrap();
    tower_bearer::store::SessionRecord::decode(&bytes).unwrap()
}

/// How many live sessions a user may have, by default.
const LIMIT: i64 = 32;
const SIGN_INS: usize = 60;

/// Signs in as one user, again and again.
#[tokio::test]
async fn a_process_that_signs_in() {
    let Some(path) = path_of_the_other() else {
        return;
    };
    let (world, _) = service(async |store| store.open(path).await.unwrap()).await;
    tell("ready");
    for _ in 0..SIGN_INS {
        world.signed_in("ada").await;
    }
    tell("done");
}

#[tokio::test]
async fn processes_keep_to_one_limit() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let test = "processes::a_process_that_signs_in";
    let mut others: Vec<_> = (0..3).map(|_| place.other(test)).collect();
    for other in &mut others {
        assert_eq!(other.told(), "ready");
    }
    for _ in 0..SIGN_INS {
        world.signed_in("ada").await;
    }
    for mut other in others {
        assert_eq!(other.told(), "done");
        other.ends();
    }
    let count = async |condition: &'static str| -> i64 {
        let count = sqlx::query_scalar(condition).fetch_one(store.pool());
        count.await.unwrap()
    };
    let live = count("SELECT count(*) FROM tower_bearer_sessions WHERE live").await;
    let all = count("SELECT count(*) FROM tower_bearer_sessions").await;
    // 240 sign-ins. Of those that were driven out, about as many stay to be recognised.
    assert_eq!(live, LIMIT, "{live} of {all}");
    assert!((LIMIT + 1..3 * LIMIT).contains(&all), "{live} of {all}");
}
