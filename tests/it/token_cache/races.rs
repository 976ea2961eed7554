//! Threads that verify while keys are replaced and sessions end.
//!
//! The application's type notes, when it is read, how many changes it has seen announced. A verification
//! that begins after a change must not answer with what was read before it.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use serde::{Deserialize, Deserializer, Serialize};
use tower_bearer::{Grant, KeyRing, Profile, TokenCache, TokenCodec};

use super::{MEBIBYTE, NOW, builder, keys};

static ROTATIONS: AtomicU64 = AtomicU64::new(0);
static ENDS: AtomicU64 = AtomicU64::new(0);

/// How many there were when the token was verified.
#[derive(Clone, Debug, Serialize)]
#[serde(into = "Empty")]
struct Noted<const ENDING: bool>(u64);

#[derive(Serialize)]
struct Empty {}

impl<const ENDING: bool> From<Noted<ENDING>> for Empty {
    fn from(_: Noted<ENDING>) -> Self {
        Self {}
    }
}

impl<const ENDING: bool> Noted<ENDING> {
    fn counter() -> &'static AtomicU64 {
        if ENDING { &ENDS } else { &ROTATIONS }
    }
}

impl<'de, const ENDING: bool> Deserialize<'de> for Noted<ENDING> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seen = Self::counter().load(Ordering::SeqCst);
        serde::de::IgnoredAny::deserialize(deserializer)?;
        // A verification takes its time, and things happen meanwhile.
        thread::yield_now();
        Ok(Self(seen))
    }
}

/// Makes a change 400 times while three threads verify.
fn race<const ENDING: bool>(change: impl Fn(&KeyRing, &TokenCodec<Noted<ENDING>>)) {
    let ring = keys(1);
    let builder = builder::<Noted<ENDING>>(Profile::Encrypted);
    let builder = builder.cache(TokenCache::new(MEBIBYTE));
    let codec = builder.build(&ring).unwrap();
    let grant = Grant {
        subject: "user-1",
        session: Some("s-1"),
        custom: &Noted(0),
    };
    let token = codec.mint_at(&grant, NOW).unwrap();
    let (token, done) = (token.as_str(), AtomicBool::new(false));
    let hits = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = codec.verify_at(token, NOW).unwrap();
                while !done.load(Ordering::SeqCst) {
                    let announced = Noted::<ENDING>::counter().load(Ordering::SeqCst);
                    let claims = codec.verify_at(token, NOW).unwrap();
                    // Announced, not yet made: one behind is what a verification may have seen.
                    assert!(claims.custom().0 + 1 >= announced);
                    hits.fetch_add(u64::from(super::same(&last, &claims)), Ordering::SeqCst);
                    last = claims;
                }
            });
        }
        let mut failed = 0;
        for _ in 0..400 {
            let made = Noted::<ENDING>::counter().fetch_add(1, Ordering::SeqCst) + 1;
            change(&ring, &codec);
            for _ in 0..3 {
                let claims = codec.verify_at(token, NOW).unwrap();
                failed += u64::from(claims.custom().0 < made);
                thread::yield_now();
            }
        }
        done.store(true, Ordering::SeqCst);
        assert_eq!(failed, 0);
    });
    assert!(hits.load(Ordering::SeqCst) > 100, "{hits:?}");
}

#[test]
fn nothing_is_remembered_over_a_rotation() {
    race::<false>(|ring, _| ring.rotate(keys(1)).unwrap());
}

#[test]
fn nothing_is_remembered_over_the_end_of_a_session() {
    race::<true>(|_, codec| codec.forget_session("s-1"));
}

/// Each thread has its own tokens and knows which keys are in use; an answer by the other keys would
/// be a hole.
#[test]
fn no_answer_is_by_keys_that_are_gone() {
    let ring = keys(1);
    let builder = builder::<tower_bearer::NoClaims>(Profile::Encrypted);
    let codec = builder
        .cache(TokenCache::new(MEBIBYTE))
        .build(&ring)
        .unwrap();
    let tokens = [1, 2].map(|seed| {
        let mints = super::builder(Profile::Encrypted)
            .build(&keys(seed))
            .unwrap();
        let grant = Grant {
            subject: "user-1",
            session: None,
            custom: &tower_bearer::NoClaims {},
        };
        mints.mint_at(&grant, NOW).unwrap().as_str().to_owned()
    });
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    for token in &tokens {
                        // Either answer may be right here; it is right at the other thread's moments.
                        let _ = codec.verify_at(token, NOW);
                    }
                }
            });
        }
        let mut wrong = 0;
        for round in 0..300 {
            let (good, bad) = (round % 2, 1 - round % 2);
            ring.rotate(keys(good as u8 + 1)).unwrap();
            for _ in 0..3 {
                wrong += u32::from(codec.verify_at(&tokens[good], NOW).is_err());
                wrong += u32::from(codec.verify_at(&tokens[bad], NOW).is_ok());
            }
        }
        // Not before the others have been told: a test that fails must end.
        done.store(true, Ordering::SeqCst);
        assert_eq!(wrong, 0);
    });
}
