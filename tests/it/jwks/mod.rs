//! Keys of an issuer elsewhere, against one that misbehaves.

mod answers;
mod discovery;
mod faults;
mod fetch;
mod issuer;
mod lifetime;
mod metadata;
mod neighbours;
mod retry_after;
mod schedule;
mod stale;
mod tls;
mod unknown;
mod withdrawn;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, Request, StatusCode};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Event, EventSink, KeyRing, ManualClock, NoClaims, Timestamp, TokenCodec,
    bearer::BearerAuth,
    jwks::{RemoteJwks, RemoteJwksBuilder},
    rejection::Rejection,
    token::TokenCodecBuilder,
};

use self::issuer::Issuer;
use crate::support::echo::Echo;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A key pair of the issuer's, the same for the same seed.
fn signer(kid: &str, seed: u8) -> KeyRing {
    KeyRing::builder()
        .jwk(&private_jwk(kid, seed))
        .build()
        .unwrap()
}

fn private_jwk(kid: &str, seed: u8) -> String {
    let text = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let (x, d) = (text(pair.public_key().as_ref()), text(&[seed; 32]));
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}","d":"{d}"}}"#)
}

/// Two sets in one.
fn both(one: &KeyRing, two: &KeyRing) -> String {
    let (one, two) = (one.jwks(), two.jwks());
    let one = one.strip_suffix("]}").unwrap();
    format!("{one},{}", two.strip_prefix(r#"{"keys":["#).unwrap())
}

/// A service that verifies, its issuer's keys, and what was reported. The clock of all stands still
/// unless it is told to move.
struct Api {
    keys: RemoteJwks,
    codec: TokenCodec<NoClaims>,
    service: BearerAuth<Echo>,
    clock: ManualClock,
    events: Events,
}

/// The answer to a client.
#[derive(Debug)]
struct Told {
    status: StatusCode,
    headers: HeaderMap,
    rejection: Option<Rejection>,
}

impl Api {
    fn new(issuer: &Issuer) -> Self {
        Self::with(issuer.url(), |builder| builder)
    }

    fn with(url: String, set: impl FnOnce(RemoteJwksBuilder) -> RemoteJwksBuilder) -> Self {
        Self::built(url, set, |codec| codec)
    }

    fn built(
        url: String,
        set: impl FnOnce(RemoteJwksBuilder) -> RemoteJwksBuilder,
        code: impl FnOnce(TokenCodecBuilder<NoClaims>) -> TokenCodecBuilder<NoClaims>,
    ) -> Self {
        let (clock, events) = (ManualClock::new(START), Events::default());
        let builder = RemoteJwks::builder(url)
            .clock(clock.clone())
            .events(events.sink());
        let keys = set(builder).build().unwrap();
        let codec = code(codec_builder(&clock, &keys.keys())).build().unwrap();
        Self {
            keys,
            service: BearerAuthLayer::new(codec.clone()).layer(Echo::default()),
            codec,
            clock,
            events,
        }
    }

    /// With the issuer's first set.
    async fn ready(issuer: &Issuer) -> Self {
        let api = Self::new(issuer);
        api.keys.refresh().await.unwrap();
        api
    }

    /// A token of `signer`'s, good for a day.
    fn token(&self, signer: &KeyRing) -> String {
        let codec = codec_builder(&self.clock, signer)
            .lifetime(Duration::from_secs(86_400))
            .build()
            .unwrap();
        codec
            .mint("alice", &NoClaims {})
            .unwrap()
            .as_str()
            .to_owned()
    }

    async fn ask(&self, token: &str) -> Told {
        let request = Request::get("/me").header("authorization", format!("Bearer {token}"));
        let service = self.service.clone();
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        Told {
            status: response.status(),
            headers: response.headers().clone(),
            rejection: response.extensions().get().cloned(),
        }
    }

    /// The status and, where there is one, `Retry-After`.
    async fn brief(&self, token: &str) -> (u16, Option<u64>) {
        let told = self.ask(token).await;
        let after = told.headers.get("retry-after");
        let after = after.map(|value| value.to_str().unwrap().parse().unwrap());
        (told.status.as_u16(), after)
    }

    async fn status(&self, token: &str) -> u16 {
        self.brief(token).await.0
    }

    /// Lets time pass, on the clock that says the date and on the one that ends pauses.
    async fn skip(&self, by: Duration) {
        self.clock.advance(by);
        pass(by).await;
    }

    async fn skip_secs(&self, secs: u64) {
        self.skip(Duration::from_secs(secs)).await;
    }
}

fn codec_builder(clock: &ManualClock, ring: &KeyRing) -> TokenCodecBuilder<NoClaims> {
    TokenCodec::signed(ring)
        .issuer("https://id.example")
        .audience("api")
        .leeway(Duration::ZERO)
        .clock(clock.clone())
}

/// Lets time pass for what sleeps.
async fn pass(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
    // A task that was woken gets to the work that it was waiting for.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Lets ten minutes pass by the runtime's clock alone, or fewer until `holds`. The steps are those in which the task
/// sleeps.
async fn pass_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..20 {
        if holds() {
            return;
        }
        pass(Duration::from_secs(30)).await;
        // A task that was woken may ask over a socket.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    issuer::eventually(what, holds).await;
}

/// The events, as text without the address.
#[derive(Clone, Debug, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    fn sink(&self) -> EventSink {
        let Self(list) = self.clone();
        EventSink::new(move |event: &Event<'_>| {
            let text = match event {
                Event::KeysRecovered { .. } => "back".to_owned(),
                Event::KeysFetched { keys, .. } => format!("fetched {keys}"),
                Event::KeysUnavailable {
                    error,
                    failures,
                    usable_until,
                    ..
                } => format!(
                    "unavailable {:?} {failures} {:?}",
                    error.kind(),
                    usable_until.map(|until| until.since(START).as_secs())
                ),
                Event::KeysCompromised { keys, .. } => format!("compromised {}", keys.len()),
                Event::KeysExpired { .. } => "expired".to_owned(),
                Event::KeysPassedOver { keys, .. } => format!("passed over {}", keys.len()),
                Event::KeysWithdrawn { .. } => "withdrawn".to_owned(),
                other => format!("{other:?}"),
            };
            list.lock().unwrap().push(text);
        })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
