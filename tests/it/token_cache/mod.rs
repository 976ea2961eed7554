//! The cache of verified tokens: its entries, the causes of forgetting them, and that only its speed shows it.

mod changes;
mod equivalence;
mod memory;

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, KeyRing, Timestamp, TokenCache, TokenCodec, TokenErrorKind,
    bearer::CheckError,
    token::{Grant, TokenCodecBuilder},
};

use crate::support::profile::Profile;
use crate::support::{echo::Echo, tokens::with_token};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const MEBIBYTE: usize = 1024 * 1024;

/// A test-only key.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Role {
    role: String,
}

fn role() -> Role {
    Role {
        role: "editor".into(),
    }
}

fn keys(seed: u8) -> KeyRing {
    let master = b"-pL5rYhMOQ-LI53EpIQ1PPf07o_lplPUnQqX9XxKHRz";
    let mut master = *master;
    master[0] = seed;
    KeyRing::from_master(&master).unwrap()
}

fn builder<C>(profile: Profile, keys: &KeyRing) -> TokenCodecBuilder<C> {
    let builder = profile.codec(keys);
    builder.issuer("https://id.example").audience("api")
}

/// A nested codec with a cache.
fn remembering(keys: &KeyRing) -> TokenCodec<Role> {
    let builder = builder(Profile::Nested, keys).leeway(Duration::from_secs(10));
    builder.cache(TokenCache::new(MEBIBYTE)).build().unwrap()
}

fn minted(codec: &TokenCodec<Role>, session: Option<&str>) -> String {
    let role = role();
    let grant = session
        .into_iter()
        .fold(Grant::new("user-1", &role), Grant::session);
    codec.mint_at(&grant, NOW).unwrap().as_str().to_owned()
}

fn len<C>(codec: &TokenCodec<C>) -> usize {
    codec.cache().unwrap().len()
}

/// Whether `token`, which is good, is remembered: this very call then is a look-up.
pub(crate) fn recalled<C: DeserializeOwned>(
    codec: &TokenCodec<C>,
    token: &str,
    now: Timestamp,
) -> bool {
    let hits = || codec.cache().unwrap().hits();
    let before = hits();
    codec.verify_at(token, now).unwrap();
    hits() > before
}

#[test]
fn a_token_is_verified_once_in_every_profile() {
    for (profile, ring) in [
        (Profile::Nested, keys(1)),
        (Profile::Encrypted, keys(1)),
        (Profile::Signed, keys(1)),
        (
            Profile::Signed,
            KeyRing::builder().jwk(ED25519).build().unwrap(),
        ),
    ] {
        let cache = TokenCache::new(MEBIBYTE);
        let codec: TokenCodec<Role> = builder(profile, &ring).cache(cache).build().unwrap();
        let (one, two) = (minted(&codec, None), minted(&codec, Some("s-1")));
        assert!(codec.cache().unwrap().is_empty());
        for remembered in [false, true, true] {
            for token in [&one, &two] {
                assert_eq!(recalled(&codec, token, NOW), remembered);
            }
        }
        let claims = codec.verify_at(&two, NOW).unwrap();
        assert_eq!((claims.session(), claims.custom()), (Some("s-1"), &role()));
        // A token that one clone of the codec has seen is known to all of them.
        assert!(recalled(&codec.clone(), &one, NOW));
        assert_eq!(len(&codec), 2);
        assert!(!codec.cache().unwrap().is_empty());
    }
}

#[test]
fn a_codec_without_a_cache_remembers_nothing() {
    let codec: TokenCodec<Role> = builder(Profile::Nested, &keys(1)).build().unwrap();
    let token = minted(&codec, Some("s-1"));
    assert!(
        [(); 2]
            .map(|()| codec.verify_at(&token, NOW))
            .iter()
            .all(Result::is_ok)
    );
    assert!(codec.cache().is_none());
}

#[test]
fn new_keys_make_every_entry_stale() {
    let ring = keys(1);
    let codec = remembering(&ring);
    let token = minted(&codec, None);
    assert!(!recalled(&codec, &token, NOW) && recalled(&codec, &token, NOW));
    // The same keys once more are other keys: who replaces them wants them looked at.
    ring.rotate(keys(1)).unwrap();
    assert!(!recalled(&codec, &token, NOW) && recalled(&codec, &token, NOW));
    ring.rotate(keys(2)).unwrap();
    let refused = codec.verify_at(&token, NOW).unwrap_err();
    assert_eq!(refused.kind(), TokenErrorKind::Key);
    // The entry takes the place of no verification, whichever keys come next.
    ring.rotate(keys(1)).unwrap();
    assert!(!recalled(&codec, &token, NOW));
}

#[test]
fn the_time_is_looked_at_each_time() {
    let ring = keys(1);
    let lifetime = Duration::from_secs(100);
    let base = || {
        let builder = builder(Profile::Nested, &ring).leeway(Duration::from_secs(10));
        builder.lifetime(lifetime).cache(TokenCache::new(MEBIBYTE))
    };
    let codec: TokenCodec<Role> = base().build().unwrap();
    let young: TokenCodec<Role> = base().max_age(Duration::from_secs(50)).build().unwrap();
    let token = minted(&codec, None);
    let millis = |ms: i64| Timestamp::from_millis((NOW.as_millis() as i64 + ms) as u64);
    // Forwards and backwards: every edge is met with the entry there.
    for (codec, at, refused) in [
        (&codec, 109_999, None),
        (&codec, 110_000, Some(TokenErrorKind::Expired)),
        (&codec, -10_000, None),
        (&codec, -10_001, Some(TokenErrorKind::NotYetValid)),
        (&young, 60_000, None),
        (&young, 60_001, Some(TokenErrorKind::TooOld)),
    ] {
        codec.verify_at(&token, NOW).unwrap();
        let judged = codec.verify_at(&token, millis(at));
        assert_eq!(judged.err().map(|e| e.kind()), refused, "{at}");
        // At the last moment it is still a look-up.
        assert!(
            refused.is_some() || recalled(codec, &token, millis(at)),
            "{at}"
        );
    }
}

#[test]
fn failures_are_never_kept() {
    let codec = remembering(&keys(1));
    let good = minted(&codec, None);
    codec.verify_at(&good, NOW).unwrap();
    let bytes = codec.cache().unwrap().bytes();
    let foreign = remembering(&keys(2));
    for n in 0..1000 {
        let bad = match n % 5 {
            0 => format!("{good}{n}"),
            1 => format!("e{n}.{good}"),
            2 => minted(&foreign, None),
            3 => good[..good.len() - 1 - n % 400].to_owned(),
            _ => "x".repeat(n),
        };
        assert!(codec.verify_at(&bad, NOW).is_err());
    }
    let far = NOW + Duration::from_secs(100_000);
    let late = minted(&codec, None);
    assert!(codec.verify_at(&late, far).is_err());
    assert_eq!((len(&codec), codec.cache().unwrap().bytes()), (1, bytes));
    assert!(recalled(&codec, &good, NOW));
}

/// One key ring, two audiences: a verdict of one codec is none of the other.
#[test]
fn codecs_share_nothing() {
    let ring = keys(1);
    let codec = |audience: &str| -> TokenCodec<Role> {
        let builder = TokenCodec::nested(&ring).issuer("https://id.example");
        let builder = builder.audience(audience);
        builder.cache(TokenCache::new(MEBIBYTE)).build().unwrap()
    };
    let (api, admin) = (codec("api"), codec("admin"));
    let token = minted(&api, None);
    for _ in 0..2 {
        assert!(api.verify_at(&token, NOW).is_ok());
        let refused = admin.verify_at(&token, NOW).unwrap_err();
        assert_eq!(refused.kind(), TokenErrorKind::Audience);
    }
    assert_eq!((len(&api), len(&admin)), (1, 0));
}

#[test]
fn a_cache_without_room_for_a_token_is_refused_when_building() {
    let build = |bytes, longest| {
        let builder = builder::<Role>(Profile::Nested, &keys(1)).max_token_bytes(longest);
        builder.cache(TokenCache::new(bytes)).build()
    };
    for (bytes, longest) in [
        (0, 8192),
        (1, 1),
        (32 * 1024, 8192),
        (256 * 1024, 65_536),
        (usize::MAX, 8192),
    ] {
        let error = build(bytes, longest).unwrap_err();
        assert_eq!(error.setting(), "cache", "{error}");
    }
    // The smallest that are taken do remember a token of the greatest length.
    for longest in [512, 8192, 65_536] {
        let error = build(0, longest).unwrap_err();
        let least = error.problem().split(' ').nth(4).unwrap();
        let codec = build(least.parse().unwrap(), longest).unwrap();
        let mut long = role();
        let token = loop {
            let more = "x".repeat(long.role.len() / 20 + 1);
            let longer = Role {
                role: format!("{}{more}", long.role),
            };
            match codec.mint_at(&Grant::new("u", &longer), NOW) {
                Ok(_) => long = longer,
                Err(_) => break codec.mint_at(&Grant::new("u", &long), NOW).unwrap(),
            }
        };
        assert!(token.as_str().len() > longest * 9 / 10);
        codec.verify_at(token.as_str(), NOW).unwrap();
        assert!(recalled(&codec, token.as_str(), NOW), "{longest}");
    }
}

#[tokio::test]
async fn the_check_of_the_layer_runs_for_every_request() {
    let codec: TokenCodec<Role> = {
        let clock = tower_bearer::ManualClock::new(NOW);
        let builder = builder(Profile::Nested, &keys(1)).clock(clock);
        let builder = builder.cache(TokenCache::new(MEBIBYTE));
        builder.build().unwrap()
    };
    let token = minted(&codec, Some("s-1"));
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    let layer = BearerAuthLayer::new(codec.clone()).check(move |context| {
        assert_eq!(context.session(), Some("s-1"));
        match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0..3 => Ok(()),
            _ => Err(CheckError::Revoked),
        }
    });
    for status in [200, 200, 200, 401, 401] {
        let echo = Echo::default();
        let service = layer.layer(echo.clone());
        let response = service.oneshot(with_token(&token)).await.unwrap();
        assert_eq!(response.status(), status);
        if status == 200 {
            let head = echo.last();
            let claims = Claims::<Role>::from_extensions(&head.extensions).unwrap();
            assert_eq!(claims.custom(), &role());
        }
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 5);
    assert_eq!(codec.cache().unwrap().hits(), 4);
}
