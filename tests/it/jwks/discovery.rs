//! Keys of an issuer of which the name is known: found, moved, and what holds meanwhile.

use std::time::Duration;

use serde_json::json;
use tower_bearer::{
    KeyRing, ManualClock, NoClaims, SignatureAlgorithm, TokenCodec,
    jwks::{JwksErrorKind, RemoteIssuer, RemoteJwksBuilder},
};

use super::{
    Events, START,
    issuer::{Issuer, Reply, eventually},
    pass, signer,
};

pub(super) const OPENID: &str = "/.well-known/openid-configuration";
pub(super) const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Metadata, as an issuer publishes them.
pub(super) fn document(issuer: &str, jwks_uri: &str) -> String {
    with_algorithms(issuer, jwks_uri, &["RS256", "ES256"])
}

fn with_algorithms(issuer: &str, jwks_uri: &str, algorithms: &[&str]) -> String {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": jwks_uri,
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": algorithms,
    })
    .to_string()
}

/// A service that knows its issuer's name.
struct Service {
    name: String,
    issuer: RemoteIssuer,
    codec: TokenCodec<NoClaims>,
    clock: ManualClock,
    events: Events,
}

impl Service {
    fn new(server: &Issuer) -> Self {
        Self::with(server, |builder| builder)
    }

    fn with(
        server: &Issuer,
        set: impl FnOnce(RemoteJwksBuilder<RemoteIssuer>) -> RemoteJwksBuilder<RemoteIssuer>,
    ) -> Self {
        let (name, clock, events) = (server.origin(), ManualClock::new(START), Events::default());
        let builder = RemoteIssuer::builder(&name)
            .clock(clock.clone())
            .events(events.sink());
        let issuer = set(builder).build().unwrap();
        // Nothing but the audience: the issuer's name and the clock are known.
        let codec = issuer.codec().audience("api").build().unwrap();
        Self {
            name,
            issuer,
            codec,
            clock,
            events,
        }
    }

    /// A token of this issuer's, good for a day.
    fn token(&self, signer: &KeyRing) -> String {
        let codec: TokenCodec = TokenCodec::signed(signer)
            .issuer(&self.name)
            .audience("api")
            .clock(self.clock.clone())
            .lifetime(Duration::from_secs(86_400))
            .build()
            .unwrap();
        let token = codec.mint("alice", &NoClaims {}).unwrap();
        token.as_str().to_owned()
    }

    fn accepts(&self, signer: &KeyRing) -> bool {
        self.codec.verify(&self.token(signer)).is_ok()
    }

    async fn skip_secs(&self, secs: u64) {
        let by = Duration::from_secs(secs);
        self.clock.advance(by);
        pass(by).await;
    }

    /// Waits until the set was confirmed at this second.
    async fn confirmed(&self, secs: u64) {
        let at = START + Duration::from_secs(secs);
        eventually("confirmed", || {
            self.issuer.health().confirmed_at() == Some(at)
        })
        .await;
    }
}

/// A server that has metadata, and its set at `/jwks.json`.
async fn server(key: &KeyRing) -> Issuer {
    let server = Issuer::start(Reply::set(key.jwks())).await;
    server.says_at(
        OPENID,
        Reply::set(document(&server.origin(), &server.url())),
    );
    server
}

const BOTH: [&str; 2] = [OPENID, "/jwks.json"];

#[tokio::test]
async fn its_tokens_are_accepted_and_no_others() {
    let key = signer("a", 1);
    let server = server(&key).await;
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    assert!(service.accepts(&key));
    assert!(!service.accepts(&signer("a", 2)));
    let foreign: TokenCodec = TokenCodec::signed(&key)
        .issuer(format!("{}/", service.name))
        .audience("api")
        .clock(service.clock.clone())
        .build()
        .unwrap();
    let foreign = foreign.mint("alice", &NoClaims {}).unwrap();
    assert!(service.codec.verify(foreign.as_str()).is_err());
    assert_eq!(service.events.take(), ["fetched 1"]);
    assert_eq!(server.asked(), BOTH);
}

#[tokio::test]
async fn it_is_down_at_the_start_and_then_comes() {
    let key = signer("a", 1);
    let server = server(&key).await;
    server.says_at(OPENID, Reply::Close);
    let service = Service::new(&server);
    let error = service.issuer.refresh().await.unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::Connection);
    assert!(!service.issuer.health().is_ready());
    let good = document(&server.origin(), &server.url());
    server.says_at(OPENID, Reply::set(good));
    service.skip_secs(2).await;
    eventually("ready", || service.issuer.health().is_ready()).await;
    assert!(service.accepts(&key));
    let events = service.events.take();
    assert_eq!(events[0], "unavailable Connection 1 None");
    assert_eq!(events[events.len() - 2..], ["back", "fetched 1"]);
}

/// Each by what its own answer says, within the same bounds; before it ends.
#[tokio::test]
async fn metadata_are_read_again_when_their_time_is_over() {
    let key = signer("a", 1);
    let server = Issuer::start(Reply::set(key.jwks()).with("cache-control", "max-age=3600")).await;
    let said = Reply::set(document(&server.origin(), &server.url()));
    server.says_at(OPENID, said.with("cache-control", "max-age=600"));
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    assert_eq!(server.asked(), BOTH);
    service.skip_secs(449).await;
    assert_eq!(server.requests(), 2);
    service.skip_secs(77).await;
    service.confirmed(526).await;
    assert_eq!(server.asked(), BOTH);

    // A set with less time is asked for without them.
    let short = Reply::set(key.jwks()).with("cache-control", "max-age=60");
    server.says(short);
    service.issuer.refresh().await.unwrap();
    assert_eq!(server.asked(), ["/jwks.json"]);
    service.skip_secs(53).await;
    service.confirmed(579).await;
    assert_eq!(server.asked(), ["/jwks.json"]);
}

/// New metadata lead to another server, and nothing of the old one is used.
#[tokio::test]
async fn keys_that_move_with_notice() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    let server = server(&old).await;
    server.says(Reply::set(old.jwks()).with("etag", "\"1\""));
    let elsewhere = Issuer::start(Reply::set(new.jwks()).with("etag", "\"1\"")).await;
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    assert!(service.accepts(&old) && !service.accepts(&new));
    let moved = document(&server.origin(), &elsewhere.url());
    server.says_at(OPENID, Reply::set(moved));
    service.skip_secs(263).await;
    service.confirmed(263).await;
    assert!(!service.accepts(&old) && service.accepts(&new));
    // A tag of the old place says nothing at the new one.
    assert!(elsewhere.last().get("if-none-match").is_none());
    assert_eq!(elsewhere.requests(), 1);
    let metadata = service.issuer.metadata().unwrap();
    assert_eq!(metadata.jwks_uri(), elsewhere.url());
}

/// The set is not where it was: the metadata are read at once, in the same round.
#[tokio::test]
async fn keys_that_move_without_notice() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    for gone in [
        Reply::Answer(404, Vec::new(), String::new()),
        Reply::Answer(301, Vec::new(), String::new()),
        Reply::Close,
        Reply::set("<!doctype html><title>It has moved</title>"),
    ] {
        let server = server(&old).await;
        let elsewhere = Issuer::start(Reply::set(new.jwks())).await;
        let service = Service::new(&server);
        service.issuer.refresh().await.unwrap();
        server.asked();
        server.says(gone.clone());
        let moved = document(&server.origin(), &elsewhere.url());
        server.says_at(OPENID, Reply::set(moved));
        service.issuer.refresh().await.unwrap();
        assert!(!service.accepts(&old) && service.accepts(&new), "{gone:?}");
        assert_eq!(server.asked(), ["/jwks.json", OPENID]);
        assert_eq!(elsewhere.requests(), 1);
        assert_eq!(service.events.take(), ["fetched 1", "fetched 1"]);
    }
}

/// An issuer that is away, and has not moved: one more question, the first error, and the keys stay.
#[tokio::test]
async fn keys_that_are_nowhere() {
    let key = signer("a", 1);
    let server = server(&key).await;
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    server.asked();
    server.says(Reply::Answer(500, Vec::new(), String::new()));
    let error = service.issuer.refresh().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 500);
    let said = error.to_string();
    assert!(said.ends_with(&format!("({})", server.url())), "{said}");
    assert_eq!(server.asked()[..2], ["/jwks.json", OPENID]);
    assert!(service.accepts(&key));
}

/// Both are gone: the error says both, and the metadata are left alone for as long as they ask for.
#[tokio::test]
async fn keys_and_metadata_that_are_nowhere() {
    let key = signer("a", 1);
    let server = server(&key).await;
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    server.says(Reply::Answer(500, Vec::new(), String::new()));
    let busy = Reply::Answer(429, Vec::new(), String::new()).with("retry-after", "120");
    server.says_at(OPENID, busy);
    let error = service.issuer.refresh().await.unwrap_err().to_string();
    assert!(error.contains("500") && error.contains("429"), "{error}");
    server.asked();
    for _ in 0..3 {
        service.issuer.refresh().await.unwrap_err();
    }
    assert!(!server.asked().contains(&OPENID.to_owned()));
    assert!(service.accepts(&key));
}

/// The old address holds until the stale limit, and the set that came from it no longer.
#[tokio::test]
async fn bad_new_metadata_keep_the_old_address_until_the_stale_limit() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    for bad in [
        Reply::Answer(500, Vec::new(), String::new()),
        Reply::Answer(404, Vec::new(), String::new()),
        Reply::set("{}"),
        Reply::set(document("https://id.example", "https://id.example/jwks")),
    ] {
        let server = server(&old).await;
        let service = Service::new(&server);
        service.issuer.refresh().await.unwrap();
        assert_eq!(service.events.take(), ["fetched 1"]);
        server.says_at(OPENID, bad.clone());
        // The set goes on to be fetched, and what is withdrawn is gone.
        server.says(Reply::set(new.jwks()));
        service.skip_secs(263).await;
        service.confirmed(263).await;
        assert!(!service.accepts(&old) && service.accepts(&new), "{bad:?}");
        let health = service.issuer.health();
        assert!(health.is_ready() && health.last_error().is_some());
        assert_eq!(health.failures(), 1);
        let told = service.events.take();
        assert!(told[0].starts_with("unavailable "), "{told:?}");
        assert!(told[0].ends_with(" 1 Some(3900)"), "{told:?}");
        assert_eq!(told[1..], ["fetched 1"]);
        let until = START + Duration::from_secs(300 + 3600);
        assert_eq!(health.usable_until(), Some(until));

        // They are tried again within a minute, each time with the set.
        service.skip_secs(60).await;
        service.confirmed(323).await;
        let told = service.events.take();
        assert!(told[0].ends_with(" 2 Some(3900)"), "{told:?}");
        assert_eq!(service.issuer.health().failures(), 2);

        service.clock.advance(Duration::from_secs(3899 - 323));
        assert!(service.accepts(&new));
        service.clock.advance(Duration::from_secs(1));
        assert!(!service.accepts(&new), "{bad:?}");
        assert!(!service.issuer.health().is_ready());

        let good = document(&server.origin(), &server.url());
        server.says_at(OPENID, Reply::set(good));
        service.issuer.refresh().await.unwrap();
        assert!(service.accepts(&new));
        assert!(service.issuer.health().last_error().is_none());
        assert_eq!(service.issuer.health().failures(), 0);
        assert!(service.events.take().contains(&"back".to_owned()));
    }
}

/// The set and the metadata fail by turns. The end of it is reported once, when both are good again.
#[tokio::test]
async fn an_issuer_that_is_back_is_told_once() {
    let key = signer("a", 1);
    let down = || Reply::Answer(500, Vec::new(), String::new());
    let server = server(&key).await;
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    service.events.take();
    // Both, a minute before the metadata are due.
    let good = document(&server.origin(), &server.url());
    server.says_at(OPENID, down());
    service.skip_secs(263).await;
    service.confirmed(263).await;
    server.says(down());
    service.issuer.refresh().await.unwrap_err();
    assert_eq!(service.issuer.health().failures(), 1);
    let told = service.events.take();
    assert!(
        told.len() == 2 && told.iter().all(|e| e.starts_with("unavailable ")),
        "{told:?}"
    );

    // The set alone is no end: the countdown of the metadata goes on.
    server.says(Reply::set(key.jwks()));
    service.issuer.refresh().await.unwrap();
    assert_eq!(service.issuer.health().failures(), 1);
    assert_eq!(service.events.take(), [""; 0]);

    // The set fails once more, and both come back in one round.
    server.says(down());
    service.issuer.refresh().await.unwrap_err();
    service.events.take();
    server.says_at(OPENID, Reply::set(good));
    server.says(Reply::set(key.jwks()));
    service.clock.advance(Duration::from_secs(60));
    service.issuer.refresh().await.unwrap();
    assert_eq!(service.events.take(), ["back"]);
    assert_eq!(service.issuer.health().failures(), 0);
}

#[tokio::test]
async fn made_up_names_cost_the_issuer_a_request_a_cool_down() {
    let key = signer("a", 1);
    let server = server(&key).await;
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    for second in 0..30 {
        for each in 0..20 {
            let forged = signer(&format!("{second}-{each}"), 9);
            assert!(!service.accepts(&forged));
        }
        service.skip_secs(1).await;
    }
    eventually("asked", || server.requests() >= 4).await;
    // Two for the first set, and then the set alone.
    assert!(server.requests() <= 5, "{}", server.requests());
    assert_eq!(server.asked()[2..4], ["/jwks.json", "/jwks.json"]);
}

/// RSA keys that do not say what they are for are for the one RSA algorithm that the metadata name.
#[tokio::test]
async fn rsa_keys_without_an_algorithm() {
    use SignatureAlgorithm::{Ps256, Rs256};
    let pem = include_str!("../../data/keys/rsa2048.pem");
    let ring = |alg| KeyRing::builder().pem(alg, Some("r"), pem).build().unwrap();
    let (pkcs, pss) = (ring(Rs256), ring(Ps256));
    let bare = pkcs.jwks().replace(r#""alg":"RS256","#, "");
    assert!(!bare.contains("alg"), "{bare}");
    let server = server(&pkcs).await;
    server.says(Reply::set(bare));
    let named = |algorithms: &[&str]| {
        let said = with_algorithms(&server.origin(), &server.url(), algorithms);
        server.says_at(OPENID, Reply::set(said));
    };
    for (algorithms, rs256, ps256) in [
        (&["PS256", "ES256"][..], false, true),
        (&["RS256"], true, false),
        (&["RS256", "PS256"], true, false),
        (&[], true, false),
    ] {
        named(algorithms);
        let service = Service::new(&server);
        service.issuer.refresh().await.unwrap();
        assert_eq!(service.accepts(&pkcs), rs256, "{algorithms:?}");
        assert_eq!(service.accepts(&pss), ps256, "{algorithms:?}");
        // The report says the same, and what the issuer wrote: nothing.
        let health = service.issuer.health();
        let [report] = health.key_reports() else {
            panic!("{health:?}")
        };
        let expected = if ps256 { Ps256 } else { Rs256 };
        assert_eq!((report.alg(), report.algorithm()), (None, Some(expected)));
    }
    // The codec has the last word.
    named(&["PS256"]);
    let service = Service::new(&server);
    service.issuer.refresh().await.unwrap();
    let own = service.issuer.codec::<NoClaims>().audience("api");
    let own = own.algorithms([Rs256]).build().unwrap();
    assert!(own.verify(&service.token(&pkcs)).is_ok());
    assert!(own.verify(&service.token(&pss)).is_err());
    // A later word of the issuer counts from then on, for the same set.
    named(&["RS256"]);
    service.skip_secs(263).await;
    service.confirmed(263).await;
    assert!(service.accepts(&pkcs) && !service.accepts(&pss));
}
