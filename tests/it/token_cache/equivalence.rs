//! A codec with a cache beside one without, over the same ring, through whatever happens to both.

use std::time::Duration;

use proptest::{prelude::*, strategy::ValueTree};
use tower_bearer::{Claims, KeyRing, Timestamp, TokenCache, TokenCodec, TokenError, token::Grant};

use super::{NOW, Role, builder, keys, role};
use crate::support::profile::Profile;

#[derive(Clone, Debug)]
enum Step {
    Verify(usize),
    /// To so many milliseconds after the start, or before it.
    Time(i64),
    Rotate(u8),
}

const SESSIONS: [Option<&str>; 3] = [None, Some("s-1"), Some("s-2")];

/// Times at which some token of the pool begins or ends, and their neighbours.
fn time() -> impl Strategy<Value = i64> {
    let edges = vec![0, -10, 60, 110, 170, 1, 50, 300, -70];
    (prop::sample::select(edges), -1_i64..=1).prop_map(|(secs, millis)| secs * 1000 + millis)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => any::<prop::sample::Index>().prop_map(|index| Step::Verify(index.index(64))),
        3 => time().prop_map(Step::Time),
        1 => (1_u8..=2).prop_map(Step::Rotate),
    ]
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis().saturating_add_signed(millis))
}

fn codec(profile: Profile, ring: &KeyRing, max_age: bool, cached: bool) -> TokenCodec<Role> {
    let mut builder = builder(profile, ring)
        .leeway(Duration::from_secs(10))
        .lifetime(Duration::from_secs(100));
    if max_age {
        builder = builder.max_age(Duration::from_secs(50));
    }
    if cached {
        builder = builder.cache(TokenCache::new(256 * 1024));
    }
    builder.build().unwrap()
}

/// Good tokens of both keys, at several times and of several sessions, and bad ones made of them.
fn pool(profile: Profile) -> Vec<String> {
    let mut pool = Vec::new();
    for seed in [1, 2] {
        let mints = codec(profile, &keys(seed), false, false);
        for (secs, session) in [0, 60].into_iter().zip(SESSIONS.into_iter().cycle()) {
            for session in [session, Some("s-1")] {
                let custom = &role();
                let grant = session
                    .into_iter()
                    .fold(Grant::new("user-1", custom), Grant::session);
                let token = mints.mint_at(&grant, at(secs * 1000)).unwrap();
                pool.push(token.as_str().to_owned());
            }
        }
        let elsewhere = TokenCodec::<Role>::nested(&keys(seed))
            .issuer("https://id.example")
            .audience("other")
            .build();
        let custom = &role();
        let grant = Grant::new("user-1", custom);
        let token = elsewhere.unwrap().mint_at(&grant, NOW).unwrap();
        pool.push(token.as_str().to_owned());
    }
    let good = pool[0].clone();
    let (head, tail) = good.split_at(good.len() / 2);
    pool.push(format!("{good}A"));
    pool.push(format!("{head}x{tail}"));
    pool.push(good[..good.len() - 1].to_owned());
    pool.push(String::new());
    pool.push("a".repeat(9000));
    pool
}

fn said(verified: &Result<Claims<Role>, TokenError>) -> Result<String, TokenError> {
    let claims = verified.as_ref().map_err(Clone::clone)?;
    let context = claims.context();
    assert_eq!(context.subject(), claims.subject());
    assert_eq!(context.session(), claims.session());
    Ok(format!(
        "{:?}",
        (
            (claims.subject(), claims.issuer(), claims.session()),
            (claims.token_id(), claims.scope(), claims.custom()),
            claims.audiences().collect::<Vec<_>>(),
            (claims.issued_at(), claims.not_before(), claims.expires_at()),
            (claims.raw(), claims.token().as_str()),
        )
    ))
}

/// How many of the answers were look-ups.
fn run(profile: Profile, max_age: bool, steps: &[Step]) -> u64 {
    let (ring, pool) = (keys(1), pool(profile));
    let plain = codec(profile, &ring, max_age, false);
    let cached = codec(profile, &ring, max_age, true);
    let mut now = NOW;
    for step in steps {
        match step {
            Step::Verify(index) => {
                let token = &pool[index % pool.len()];
                let expected = said(&plain.verify_at(token, now));
                for _ in 0..2 {
                    assert_eq!(said(&cached.verify_at(token, now)), expected);
                }
            }
            Step::Time(millis) => now = at(*millis),
            Step::Rotate(seed) => ring.rotate(keys(*seed)).unwrap(),
        }
    }
    cached.cache().unwrap().hits()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_cache_changes_no_verdict(
        steps in prop::collection::vec(step(), 1..150),
        encrypted: bool,
        max_age: bool,
    ) {
        let profile = if encrypted { Profile::Encrypted } else { Profile::Nested };
        run(profile, max_age, &steps);
    }
}

/// The property would hold of a cache that remembers nothing.
#[test]
fn and_it_does_remember() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 400..401);
    let steps = steps.new_tree(&mut runner).unwrap().current();
    let hits = run(Profile::Nested, false, &steps);
    assert!(hits > 50, "{hits}");
}
