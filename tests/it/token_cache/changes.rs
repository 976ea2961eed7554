//! Changes in the middle of a verification, and threads that verify while keys are replaced.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde::{Deserialize, Deserializer, Serialize};
use tower_bearer::{TokenCache, token::Grant};

use super::{MEBIBYTE, NOW, builder, keys, recalled};
use crate::support::profile::Profile;

type Change = Box<dyn FnOnce()>;

thread_local! {
    /// Happens once, when the next token's claims are read.
    static NEXT: RefCell<Option<Change>> = const { RefCell::new(None) };
}

/// Reading it is a moment in the middle of a verification, behind the cryptography.
#[derive(Serialize)]
struct Meanwhile {}

impl<'de> Deserialize<'de> for Meanwhile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if let Some(change) = NEXT.take() {
            change();
        }
        serde::de::IgnoredAny::deserialize(deserializer)?;
        Ok(Self {})
    }
}

/// The cache forgets what a verification finds that began before a change.
#[test]
fn a_change_in_the_middle_of_a_verification() {
    let ring = keys(1);
    let builder = builder::<Meanwhile>(Profile::Encrypted, &ring);
    let builder = builder.cache(TokenCache::new(MEBIBYTE));
    let codec = builder.build().unwrap();
    let grant = Grant::new("user-1", &Meanwhile {}).session("s-1");
    let token = codec.mint_at(&grant, NOW).unwrap();
    let recalled = || recalled(&codec, token.as_str(), NOW);
    let rotated = ring.clone();
    let changes: [(_, Change); 2] = [
        ("none", Box::new(|| ())),
        ("keys", Box::new(move || rotated.rotate(keys(1)).unwrap())),
    ];
    for (name, change) in changes {
        // The cached verdict on the token is stale then.
        ring.rotate(keys(1)).unwrap();
        NEXT.set(Some(change));
        assert!(!recalled(), "{name}");
        assert_eq!(recalled(), name == "none", "{name}");
        assert!(recalled(), "{name}");
    }
}

/// Each thread has its own tokens and knows which keys are in use. An answer by the other keys would be a hole.
#[test]
fn no_answer_is_by_keys_that_are_gone() {
    let ring = keys(1);
    let builder = builder::<tower_bearer::NoClaims>(Profile::Encrypted, &ring);
    let codec = builder.cache(TokenCache::new(MEBIBYTE)).build().unwrap();
    let tokens = [1, 2].map(|seed| {
        let mints = super::builder(Profile::Encrypted, &keys(seed))
            .build()
            .unwrap();
        let grant = Grant::new("user-1", &tower_bearer::NoClaims {});
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
