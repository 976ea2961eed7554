//! Many sessions on a network that delays and cuts, and thieves among them.
//!
//! Each session is one cookie jar that two tabs share, at two instances of the service. They wake together, read one
//! cookie and refresh at once.
//!
//! Bounded: so many sessions, a pause between two wakes, and 10 seconds, or as many as `TOWER_BEARER_STORM_SECONDS`
//! says. All of it goes over loopback.

#[path = "../../../../tests/common/noting.rs"]
mod noting;

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Method, header};
use http_body_util::Full;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tower_bearer::{
    Event, EventSink, RotationPolicy, SessionId, refresh::RefreshOutcome, store::SessionKey,
};
use tower_bearer_sqlx::PostgresStore;

use self::noting::{Noting, Successors};
use crate::{
    stage::{assert_ok, instance_with, migrated},
    support::{
        Chaos, Database, Proxy,
        world::{Browser, Reply, World},
    },
};

const HONEST: usize = 80;
/// Sessions whose whole cookie jar is stolen.
const ROBBED: usize = 10;
const TABS: usize = 2;
/// They are 30 s and 60 s by default. Time passes faster here, and rotations come by the dozen.
const GRACE: Duration = Duration::from_secs(4);
const INTERVAL: Duration = Duration::from_secs(8);

/// The sum of all that they have seen.
#[derive(Debug, Default)]
struct Seen {
    answered: AtomicUsize,
    unavailable: AtomicUsize,
    rotations: AtomicUsize,
    /// Thieves who were sent away: the sessions they came with.
    refused_thieves: Mutex<BTreeSet<SessionId>>,
    reported: Mutex<BTreeSet<SessionId>>,
    successors: Arc<Successors>,
}

impl Seen {
    fn sink(self: &Arc<Self>) -> EventSink {
        let seen = self.clone();
        EventSink::new(move |event: &Event<'_>| match event {
            Event::ReuseDetected { session, .. } => {
                seen.reported.lock().unwrap().insert(*session);
            }
            Event::Refreshed { outcome, .. } if *outcome == RefreshOutcome::Rotated => {
                seen.rotations.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        })
    }
}

/// One instance of the service, with its own connections to the server.
async fn service(url: &str, seen: &Arc<Seen>) -> World {
    let store = PostgresStore::builder()
        .asynchronous_notes(true)
        .connect(url)
        .await
        .unwrap();
    let rotation = RotationPolicy::builder()
        .grace(GRACE)
        .interval(INTERVAL)
        .build()
        .unwrap();
    instance_with(Noting(store, seen.successors.clone()), |builder| {
        builder
            .rotation(rotation)
            .repeat_limit(u16::MAX)
            .events(seen.sink())
    })
}

/// The part that the tabs of one session share: the cookies of one browser.
type Jar = Arc<Mutex<Browser>>;

async fn refresh(world: &World, browser: &Browser) -> Reply {
    let request = browser.request(Method::POST, "/refresh");
    world.send(request.body(Full::default()).unwrap()).await
}

struct Tab {
    world: World,
    jar: Jar,
    seen: Arc<Seen>,
    end: Instant,
}

impl Tab {
    /// Refreshes now and then, until the end or until it is signed out. All tabs of a session have the same seed, and
    /// so wake at the same time.
    async fn live(self, seed: u64) -> Option<Reply> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut wake = Instant::now();
        loop {
            wake += Duration::from_millis(dice.random_range(500..3500));
            if wake > self.end {
                return None;
            }
            sleep_until(wake).await;
            if let Some(refused) = self.wake(wake).await {
                return Some(refused);
            }
        }
    }

    /// One refresh, and again after a 409. A page gives up after half of the grace, and so does this one.
    async fn wake(&self, wake: Instant) -> Option<Reply> {
        let Self { world, seen, .. } = self;
        while wake.elapsed() < GRACE / 2 {
            let browser = self.jar.lock().unwrap().clone();
            let reply = refresh(world, &browser).await;
            match reply.status.as_u16() {
                200 => {
                    seen.answered.fetch_add(1, Ordering::Relaxed);
                    self.jar.lock().unwrap().keep(&reply);
                    return None;
                }
                409 => {
                    self.jar.lock().unwrap().keep(&reply);
                    sleep(Duration::from_millis(200)).await;
                }
                503 => {
                    seen.unavailable.fetch_add(1, Ordering::Relaxed);
                    assert!(reply.headers.contains_key(header::RETRY_AFTER));
                    assert_eq!(reply.set_cookie(), None, "the cookie is kept");
                    return None;
                }
                _ => return Some(reply),
            }
        }
        None
    }
}

/// Steals the whole cookie jar and uses it until it is refused for good.
async fn thief(
    world: World,
    jar: Jar,
    session: SessionId,
    seen: Arc<Seen>,
    begin: Instant,
    end: Instant,
) {
    sleep_until(begin).await;
    let mut browser = jar.lock().unwrap().thief();
    while Instant::now() < end {
        let reply = refresh(&world, &browser).await;
        match reply.status.as_u16() {
            // 409 may bring the successor of a newcomer, which has to be shown first.
            200 | 409 => browser.keep(&reply),
            503 => {}
            _ => {
                seen.refused_thieves.lock().unwrap().insert(session);
                return;
            }
        }
        sleep(Duration::from_millis(700)).await;
    }
}

struct Storm {
    database: Database,
    proxy: Proxy,
    seen: Arc<Seen>,
    instances: [World; 2],
    sessions: Vec<(SessionKey, Jar)>,
}

impl Storm {
    async fn new() -> Self {
        let (database, _) = migrated().await;
        let proxy = Proxy::to(database.port()).await;
        let seen = Arc::<Seen>::default();
        let url = database.by(proxy.port());
        let instances = [service(&url, &seen).await, service(&url, &seen).await];
        let mut sessions = Vec::new();
        for n in 0..HONEST + ROBBED {
            // Two sessions of each person.
            let browser = instances[n % 2].signed_in(&format!("user-{}", n / 2)).await;
            sessions.push((
                instances[n % 2].store.last_key(),
                Jar::new(Mutex::new(browser)),
            ));
        }
        Self {
            database,
            proxy,
            seen,
            instances,
            sessions,
        }
    }

    /// Blows for `length`. Returns the refusals of the honest ones.
    async fn blow(&self, length: Duration) -> Vec<String> {
        let chaos = Chaos {
            seed: 4,
            delay_max: Duration::from_millis(30),
            cut_probability: 0.002,
        };
        self.proxy.chaos(chaos);
        let begin = Instant::now();
        let end = begin + length;
        // A theft shows when a rotation is due, and a tab has asked once more behind the window.
        let last = end + INTERVAL;
        let (mut tabs, mut thieves) = (JoinSet::new(), JoinSet::new());
        for (n, (key, jar)) in self.sessions.iter().enumerate() {
            for instance in self.instances.iter().cycle().take(TABS) {
                let tab = Tab {
                    world: instance.clone(),
                    jar: jar.clone(),
                    seen: self.seen.clone(),
                    end: if n < HONEST { end } else { last },
                };
                tabs.spawn(async move { (n, tab.live(n as u64).await) });
            }
            if n >= HONEST {
                let (world, jar, seen) = (
                    self.instances[n % 2].clone(),
                    jar.clone(),
                    self.seen.clone(),
                );
                let theft = begin + length / 4 * (n - HONEST) as u32 / ROBBED as u32;
                thieves.spawn(thief(world, jar, *key.id(), seen, theft, last));
            }
        }
        let mut refusals = Vec::new();
        while let Some(ended) = tabs.join_next().await {
            if let (n, Some(reply)) = ended.unwrap()
                && n < HONEST
            {
                refusals.push(format!("session {n}: {reply:?}"));
            }
        }
        thieves.join_all().await;
        self.proxy.forward();
        // The end of a session that met a cut is asked for again, and its theft is told then.
        for instance in &self.instances {
            assert_eq!(instance.layer.drain(Duration::from_secs(20)).await, 0);
        }
        refusals
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_on_a_bad_network_with_thieves_among_them() {
    let seconds = env::var("TOWER_BEARER_STORM_SECONDS").map_or(10, |text| text.parse().unwrap());
    let storm = Storm::new().await;
    let signed_out = storm.blow(Duration::from_secs(seconds as u64)).await;
    let Storm {
        database,
        proxy,
        seen,
        instances,
        sessions,
    } = &storm;
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (answered, rotations) = (count(&seen.answered), count(&seen.rotations));
    let (reported, connections) = (seen.reported.lock().unwrap().clone(), proxy.connections());
    println!(
        "{answered} refreshes answered, {} unavailable, {rotations} rotations, {connections} connections; {} thieves \
         refused, {} thefts reported",
        count(&seen.unavailable),
        seen.refused_thieves.lock().unwrap().len(),
        reported.len(),
    );
    // It was a storm.
    assert!(answered > 20 * seconds, "{answered} answers");
    assert!(connections > seconds, "{connections} connections");
    assert!(rotations > HONEST * seconds / 15, "{rotations} rotations");

    assert!(
        signed_out.is_empty(),
        "honest and signed out: {signed_out:#?}"
    );
    let robbed: BTreeSet<_> = sessions[HONEST..]
        .iter()
        .map(|(key, _)| *key.id())
        .collect();
    assert_eq!(
        reported, robbed,
        "every theft is reported, and nothing else"
    );
    assert!(seen.refused_thieves.lock().unwrap().is_subset(&reported));
    for ((session, age), hashes) in seen.successors.lock().unwrap().iter() {
        assert_eq!(hashes.len(), 1, "{session} has two successors at {age:?}");
    }

    // The server holds every session once, and the honest ones work.
    let rows: i64 = database
        .value("SELECT count(*) FROM tower_bearer_sessions")
        .await;
    assert_eq!(rows, (HONEST + ROBBED) as i64);
    sleep(Duration::from_secs(1)).await;
    for (n, (key, jar)) in sessions.iter().enumerate() {
        let browser = jar.lock().unwrap().clone();
        let reply = refresh(&instances[n % 2], &browser).await;
        if n < HONEST {
            assert_ok(&reply);
        } else {
            assert_eq!(reply.status, 401);
            assert!(!instances[0].store.peek(key).await.unwrap().is_live());
        }
    }
}
