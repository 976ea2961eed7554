//! The cache of verified tokens keeps its bound whatever the application's type makes of the claims.
//!
//! The operating system says by how much the process has grown. So nothing is left out: neither a type's memory on the
//! heap nor the allocator's own.
#![allow(
    dead_code,
    reason = "the types are read to be kept, not to be looked at"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};
use tower_bearer::{KeyRing, NoClaims, Timestamp, TokenCache, TokenCodec, token::Grant};

use crate::memory::resident;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const CACHE: usize = 16 * 1024 * 1024;
/// By how much a process may grow with it, in kibibytes.
const MOST: usize = 20 * 1024;
/// About as many bytes of claims as a token can hold.
const TEXT: usize = 5500;

pub fn of_nothing() {
    flood::<NoClaims>(120_000, |_| json!({}));
}

/// Two bytes of text become eight of memory, and more while the list grows.
pub fn of_small_numbers() {
    #[derive(Deserialize)]
    struct Numbers {
        list: Vec<u64>,
    }
    flood::<Numbers>(6000, |n| json!({ "list": vec![n % 10; TEXT / 2] }));
}

/// Three bytes of text become those of a structure with many optional fields.
pub fn of_empty_objects() {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Wide {
        fields: [Option<String>; 32],
        more: [Option<String>; 8],
    }
    #[derive(Deserialize)]
    struct Objects {
        list: Vec<Wide>,
    }
    flood::<Objects>(5000, |_| json!({ "list": vec![json!({}); TEXT / 3] }));
}

/// One number of the text becomes as much memory as the type likes.
pub fn of_what_unfolds() {
    struct Unfolded(Vec<u8>);
    impl<'de> Deserialize<'de> for Unfolded {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let size = BTreeMap::<String, usize>::deserialize(deserializer)?["size"];
            Ok(Self(vec![1; size]))
        }
    }
    flood::<Unfolded>(120_000, |_| json!({ "size": 20_000 }));
}

pub fn of_maps() {
    let member = |n: usize| move |key: usize| (format!("k{key}"), json!(format!("v{}", n % 100)));
    flood::<BTreeMap<String, String>>(6000, |n| {
        Value::Object((0..TEXT / 14).map(member(n)).collect())
    });
}

pub fn of_long_texts() {
    #[derive(Deserialize)]
    struct Text {
        text: String,
    }
    flood::<Text>(
        6000,
        |n| json!({ "text": (n % 10).to_string().repeat(TEXT) }),
    );
}

/// Verifies so many tokens that the cache holds a fraction of them. Compares the memory of the process then, and at its
/// peak, with the memory before there was a cache.
fn flood<C>(tokens: usize, claims: impl Fn(usize) -> Value)
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let ring = KeyRing::generate().unwrap();
    let mints: TokenCodec<Value> = builder(&ring).build().unwrap();
    let token = |n: usize| {
        let (subject, custom) = (&*format!("user-{n}"), &claims(n));
        let grant = Grant::new(subject, custom);
        mints.mint_at(&grant, NOW).unwrap()
    };
    // The memory that one verification takes for a moment is not the cache's.
    let plain: TokenCodec<C> = builder(&ring).build().unwrap();
    for n in 0..100 {
        plain.verify_at(token(n).as_str(), NOW).unwrap();
    }
    let before = resident();
    let builder = builder::<C>(&ring).cache(TokenCache::new(CACHE));
    let codec = builder.build().unwrap();
    let mut most = before;
    for n in 0..tokens {
        codec.verify_at(token(n).as_str(), NOW).unwrap();
        most = most.max(resident());
    }
    let (grown, held) = (most - before, codec.cache().unwrap().len());
    println!("grown by {grown} KiB for {held} of {tokens} tokens");
    assert!(held > 0 && held < tokens / 2, "{held} of {tokens} held");
    assert!(grown <= MOST, "grown by {grown} KiB for {held} tokens");
}

fn builder<C>(ring: &KeyRing) -> tower_bearer::token::TokenCodecBuilder<C> {
    let builder = TokenCodec::encrypted(ring);
    builder.issuer("https://id.example").audience("api")
}
