//! Many sessions on a network that delays and cuts, and thieves among them.
//!
//! Each session is one cookie jar that two windows with two `User-Agent`s share. Their tabs wake together, read
//! one cookie and refresh at once.
//!
//! Bounded: so many sessions, so many tabs each, and a pause between two wakes. It takes 20 seconds, or as many as
//! `TOWER_BEARER_STORM_SECONDS` says. All of it goes over loopback.

#[path = "../common/noting.rs"]
mod noting;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Method, header};
use http_body_util::Full;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tower_bearer::{
    Event, EventSink, RedisStore, RotationPolicy, SessionId, refresh::RefreshOutcome,
};

use self::noting::{Noting, Successors};
use crate::{
    stage::{assert_ok, impatient, instance_with, key_of},
    support::{
        redis::{Chaos, Proxy, Server},
        world::{Browser, FIREFOX, Reply, World},
    },
};

const HONEST: usize = 200;
/// Sessions whose whole cookie jar is stolen.
const ROBBED: usize = 20;
/// The last of the honest ones: their refresh cookie is stolen alone, and is worth nothing.
const COPIED: usize = 20;
const CLIENTS: usize = 4;
/// The names of the windows of one jar. The first one has signed in.
const AGENTS: [&str; 2] = [
    FIREFOX,
    "Mozilla/5.0 (a window that asks for the desktop site)",
];
/// The values for 30 s and 60 s by default: time passes faster here, and rotations come by the dozen.
const GRACE: Duration = Duration::from_secs(4);
const INTERVAL: Duration = Duration::from_secs(8);

/// The sum of all that they have seen.
#[derive(Debug, Default)]
struct Seen {
    answered: AtomicUsize,
    /// Refusals that keep the cookie and ask to try again: 409.
    waited: AtomicUsize,
    /// Those among them that brought the successor.
    confirmed: AtomicUsize,
    unavailable: AtomicUsize,
    /// Honest sessions whose client was sent to sign in.
    signed_out: Mutex<Vec<String>>,
    /// Thieves who were sent away: the sessions they came with.
    refused_thieves: Mutex<BTreeSet<SessionId>>,
    reported: Mutex<BTreeSet<SessionId>>,
    /// Sessions that were used without their jar cookie.
    foreign: Mutex<BTreeSet<SessionId>>,
    /// New `User-Agent`s, by session.
    newcomers: Mutex<BTreeMap<SessionId, Vec<String>>>,
    rotations: AtomicUsize,
    successors: Arc<Successors>,
}

impl Seen {
    fn sink(self: &Arc<Self>) -> EventSink {
        let seen = self.clone();
        EventSink::new(move |event: &Event<'_>| match event {
            Event::ReuseDetected { session, .. } => {
                seen.reported.lock().unwrap().insert(*session);
            }
            Event::ForeignJar { session, .. } => {
                seen.foreign.lock().unwrap().insert(*session);
            }
            Event::NewFingerprint {
                session, presented, ..
            } => {
                let mut newcomers = seen.newcomers.lock().unwrap();
                let of_session = newcomers.entry(*session).or_default();
                of_session.push((*presented).to_owned());
            }
            Event::Refreshed { outcome, .. } if *outcome == RefreshOutcome::Rotated => {
                seen.rotations.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        })
    }
}

/// One instance of the service, with its own connection to the server.
fn service(proxy: &Proxy, seen: &Arc<Seen>) -> World {
    let store = impatient(RedisStore::builder(proxy.url())).build().unwrap();
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

/// One tab of a window that calls itself `agent`.
struct Tab {
    world: World,
    jar: Jar,
    agent: &'static str,
    seen: Arc<Seen>,
    end: Instant,
}

impl Tab {
    /// Refreshes now and then, until the end or until it is signed out. All tabs of a session have the same seed,
    /// and so wake at the same time.
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

    /// One refresh, and again after a 409. A page gives up after 15 s, half of the grace, and so does this one.
    async fn wake(&self, wake: Instant) -> Option<Reply> {
        let Self { world, seen, .. } = self;
        while wake.elapsed() < GRACE / 2 {
            let browser = Browser {
                agent: self.agent.to_owned(),
                ..self.jar.lock().unwrap().clone()
            };
            let reply = refresh(world, &browser).await;
            match reply.status.as_u16() {
                200 => {
                    seen.answered.fetch_add(1, Ordering::Relaxed);
                    self.jar.lock().unwrap().keep(&reply);
                    return None;
                }
                409 => {
                    seen.waited.fetch_add(1, Ordering::Relaxed);
                    assert!(reply.headers.contains_key(header::RETRY_AFTER));
                    assert!(!reply.cleared(), "{reply:?}");
                    assert!(reply.body.get("access_token").is_none(), "{reply:?}");
                    let confirms = usize::from(reply.set_cookie().is_some());
                    seen.confirmed.fetch_add(confirms, Ordering::Relaxed);
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

/// Steals the refresh cookie alone, again and again.
async fn copier(world: World, jar: Jar, begin: Instant, end: Instant) {
    sleep_until(begin).await;
    while Instant::now() < end {
        let browser = jar.lock().unwrap().without_jar();
        let reply = refresh(&world, &browser).await;
        if reply.status != 503 {
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (401, "invalid_session")
            );
        }
        assert_eq!(reply.set_cookie(), None, "the cookie is kept: {reply:?}");
        sleep(Duration::from_millis(700)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sessions_on_a_bad_network() {
    let seconds = env::var("TOWER_BEARER_STORM_SECONDS").map_or(20, |text| text.parse().unwrap());
    let length = Duration::from_secs(seconds as u64);
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let seen = Arc::<Seen>::default();
    let instances = [service(&proxy, &seen), service(&proxy, &seen)];

    let mut sessions = Vec::new();
    for n in 0..HONEST + ROBBED {
        // Two sessions of each person.
        let browser = instances[n % 2].signed_in(&format!("user-{}", n / 2)).await;
        let key = instances[n % 2].store.last_key();
        sessions.push((key, Jar::new(Mutex::new(browser))));
    }

    proxy.chaos(Chaos {
        seed: 4,
        delay_max: Duration::from_millis(60),
        cut_probability: 0.002,
    });
    let begin = Instant::now();
    let end = begin + length;
    // A theft shows when a rotation is due, and a tab has asked once more behind the window. Few need this.
    let last = end + INTERVAL;
    let (mut tabs, mut thieves) = (JoinSet::new(), JoinSet::new());
    for (n, (key, jar)) in sessions.iter().enumerate() {
        for client in 0..CLIENTS {
            let tab = Tab {
                // Each window has a tab at each instance.
                world: instances[client % 2].clone(),
                jar: jar.clone(),
                agent: AGENTS[client / 2],
                seen: seen.clone(),
                end: if n < HONEST { end } else { last },
            };
            tabs.spawn(async move { (n, tab.live(n as u64).await) });
        }
        if (HONEST - COPIED..HONEST).contains(&n) {
            // The first rotation has bound the session to its jar by then: it is due after the interval.
            let (world, jar) = (instances[n % 2].clone(), jar.clone());
            let bound = INTERVAL + Duration::from_secs(3);
            thieves.spawn(copier(world, jar, begin + bound.max(length / 4), end));
        }
        if n >= HONEST {
            let (world, jar, seen) = (instances[n % 2].clone(), jar.clone(), seen.clone());
            let theft = begin + length / 4 * (n - HONEST) as u32 / ROBBED as u32;
            thieves.spawn(thief(world, jar, *key.id(), seen, theft, last));
        }
    }
    let mut victims_signed_out = BTreeSet::new();
    while let Some(ended) = tabs.join_next().await {
        let (n, refused) = ended.unwrap();
        match refused {
            Some(reply) if n < HONEST => {
                seen.signed_out
                    .lock()
                    .unwrap()
                    .push(format!("session {n}: {reply:?}"));
            }
            Some(_) => drop(victims_signed_out.insert(*sessions[n].0.id())),
            None => {}
        }
    }
    while let Some(ended) = thieves.join_next().await {
        ended.unwrap();
    }
    let cuts = proxy.connections();
    proxy.forward().await;
    // The end of a session that met a cut is asked for again, and its theft is told then.
    for instance in &instances {
        assert_eq!(instance.layer.drain(Duration::from_secs(20)).await, 0);
    }

    let (answered, unavailable) = (
        seen.answered.load(Ordering::Relaxed),
        seen.unavailable.load(Ordering::Relaxed),
    );
    let rotations = seen.rotations.load(Ordering::Relaxed);
    let (waited, confirmed) = (
        seen.waited.load(Ordering::Relaxed),
        seen.confirmed.load(Ordering::Relaxed),
    );
    println!(
        "{answered} refreshes answered, {unavailable} unavailable, {waited} asked to wait ({confirmed} with the \
         successor), {rotations} rotations, {cuts} connections; {} thieves refused, {} thefts reported",
        seen.refused_thieves.lock().unwrap().len(),
        seen.reported.lock().unwrap().len(),
    );
    // It was a storm.
    assert!(answered > 150 * seconds, "{answered} answers");
    assert!(cuts > seconds as u64, "{cuts} connections");
    assert!(rotations > HONEST * seconds / 15, "{rotations} rotations");
    assert!(confirmed > 0, "no newcomer rotated");

    let signed_out = seen.signed_out.lock().unwrap().clone();
    assert!(
        signed_out.is_empty(),
        "honest and signed out: {signed_out:#?}"
    );
    let reported = seen.reported.lock().unwrap().clone();
    let robbed: BTreeSet<_> = sessions[HONEST..]
        .iter()
        .map(|(key, _)| *key.id())
        .collect();
    assert_eq!(
        reported, robbed,
        "every theft is reported, and nothing else"
    );
    assert!(seen.refused_thieves.lock().unwrap().is_subset(&reported));
    assert!(victims_signed_out.is_subset(&reported));
    let ids = |n: std::ops::Range<usize>| sessions[n].iter().map(|(key, _)| *key.id());
    let copied: BTreeSet<_> = ids(HONEST - COPIED..HONEST).collect();
    assert_eq!(
        *seen.foreign.lock().unwrap(),
        copied,
        "each copy of a cookie alone is told of, and nothing else"
    );
    let newcomers = seen.newcomers.lock().unwrap().clone();
    let told = |session| newcomers.get(&session).map_or(&[][..], Vec::as_slice);
    let mut silent = 0;
    for session in ids(0..HONEST) {
        // Again where the answer of the store was lost, or two tabs wrote the very same.
        assert!(told(session).iter().all(|agent| agent == AGENTS[1]));
        silent += usize::from(told(session).is_empty());
    }
    assert_eq!(silent, 0, "windows of another name that were not told of");
    for ((session, age), hashes) in seen.successors.lock().unwrap().iter() {
        assert_eq!(hashes.len(), 1, "{session} has two successors at {age:?}");
    }

    // The records on the server: every session once, and the honest ones work.
    let mut records = 0;
    for n in (0..HONEST + ROBBED).step_by(2) {
        let key = key_of(sessions[n].0.subject());
        let count: usize = redis::from_redis_value(server.command(&["HLEN", &key]).await).unwrap();
        records += count;
    }
    assert_eq!(records, HONEST + ROBBED);
    let keys: usize = redis::from_redis_value(server.command(&["DBSIZE"]).await).unwrap();
    assert_eq!(keys, (HONEST + ROBBED) / 2);
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
