//! The metadata of an issuer: where they are, and which are taken.

use tower_bearer::jwks::{JwksError, JwksErrorKind, RemoteIssuer};

use super::{
    discovery::{OAUTH, OPENID, document},
    issuer::{Issuer, Reply},
    signer,
};

fn none(status: u16) -> Reply {
    Reply::Answer(status, Vec::new(), String::new())
}

/// An issuer that says so of itself at the first address.
async fn refused(issuer: &str, said: impl Fn(&Issuer) -> String) -> (JwksError, Issuer) {
    let server = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
    server.says_at(OPENID, Reply::set(said(&server)));
    let keys = RemoteIssuer::discover(server.origin() + issuer).unwrap();
    let error = keys.refresh().await.unwrap_err();
    assert!(keys.metadata().is_none());
    assert_eq!(keys.health().keys(), 0);
    let asked = server.asked();
    assert!(!asked.contains(&"/jwks.json".to_owned()), "{asked:?}");
    (error, server)
}

#[tokio::test]
async fn those_of_openid_come_first() {
    for (path, openid) in [
        ("", "/.well-known/openid-configuration"),
        ("/", "/.well-known/openid-configuration"),
        ("/a/b", "/a/b/.well-known/openid-configuration"),
        ("/a/", "/a/.well-known/openid-configuration"),
    ] {
        let server = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
        let name = server.origin() + path;
        server.says_at(openid, Reply::set(document(&name, &server.url())));
        let issuer = RemoteIssuer::discover(&name).unwrap();
        issuer.refresh().await.unwrap();
        assert_eq!(server.asked(), [openid, "/jwks.json"]);
        let metadata = issuer.metadata().unwrap();
        assert_eq!((metadata.issuer(), issuer.issuer()), (&*name, &*name));
        assert_eq!(metadata.jwks_uri(), server.url());
        assert_eq!(metadata.algorithms(), ["RS256", "ES256"]);
    }
}

#[tokio::test]
async fn those_of_oauth_come_where_there_are_none() {
    for (status, path, oauth) in [
        (404, "", OAUTH.to_owned()),
        (400, "/", OAUTH.to_owned()),
        (401, "/a/b", format!("{OAUTH}/a/b")),
        (403, "/a/", format!("{OAUTH}/a")),
        (410, "/a", format!("{OAUTH}/a")),
    ] {
        let server = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
        let name = server.origin() + path;
        let openid = format!("{}{OPENID}", path.trim_end_matches('/'));
        server.says_at(&openid, none(status));
        server.says_at(&oauth, Reply::set(document(&name, &server.url())));
        let issuer = RemoteIssuer::discover(&name).unwrap();
        issuer.refresh().await.unwrap();
        assert_eq!(
            server.asked(),
            [&*openid, &*oauth, "/jwks.json"],
            "{status}"
        );
    }
}

/// An issuer in trouble is asked again later, and not elsewhere. Redirects are not followed.
#[tokio::test]
async fn other_statuses_are_failures() {
    // 407 is a proxy's word, and not the issuer's.
    for status in [204, 302, 307, 407, 429, 500, 503] {
        let server = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
        let name = server.origin();
        server.says_at(OPENID, none(status).with("location", "/elsewhere"));
        server.says_at(OAUTH, Reply::set(document(&name, &server.url())));
        let issuer = RemoteIssuer::discover(&name).unwrap();
        let error = issuer.refresh().await.unwrap_err();
        assert_eq!(error.status().unwrap(), status);
        let said = error.to_string();
        assert!(said.ends_with(&format!("({name}{OPENID})")), "{said}");
        assert_eq!(server.asked(), [OPENID]);
    }
    let server = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
    let name = server.origin();
    let error = RemoteIssuer::discover(&name).unwrap().refresh().await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (JwksErrorKind::Status, 404)
    );
    let said = error.to_string();
    assert!(
        said.contains(&format!("404 at {name}{OPENID} and 404 at {name}{OAUTH}")),
        "{said}"
    );
}

/// The name is compared code point by code point, and the error says what to write.
#[tokio::test]
async fn those_of_another_issuer_are_not_taken() {
    let other = |name: &'static str| move |server: &Issuer| document(name, &server.url());
    let suffixed = |suffix: &'static str| {
        move |server: &Issuer| document(&(server.origin() + suffix), &server.url())
    };
    for (configured, said, expected) in [
        (
            "",
            suffixed("/"),
            "The slash at the end counts: configure \"http://127.0.0.1:",
        ),
        (
            "/",
            suffixed(""),
            "The slash at the end counts: configure \"http://127.0.0.1:",
        ),
        ("", suffixed("/a"), "if you trust that issuer"),
        ("", suffixed("//"), "if you trust that issuer"),
    ] {
        let (error, server) = refused(configured, said).await;
        assert_eq!(error.kind(), JwksErrorKind::Metadata);
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        let both = format!("and \"{}{configured}\" was configured", server.origin());
        assert!(text.contains(&both), "{text}");
        // A rename, or another name from inside.
        for cure in [".also_issuer(", "RemoteJwks", ".issuer(\"http://127.0.0.1:"] {
            let trusted = expected.contains("trust");
            assert_eq!(text.contains(cure), trusted, "{cure}: {text}");
        }
    }
    for (said, expected) in [
        (
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "a template for many. Configure that of one tenant",
        ),
        ("HTTP://127.0.0.1", "if you trust that issuer"),
        ("", "if you trust that issuer"),
    ] {
        let (error, _server) = refused("", other(said)).await;
        let text = error.to_string();
        let begin = format!("the issuer's metadata are of {said:?} and \"http://127.0.0.1:");
        assert!(
            text.starts_with(&begin) && text.contains(expected),
            "{text}"
        );
    }
    // Nothing of it is repeated without an end.
    let (error, _server) = refused("", |server| document(&"\n".repeat(9000), &server.url())).await;
    assert!(error.to_string().len() < 2000);
}

#[tokio::test]
async fn an_address_that_keys_must_not_come_from_is_not_asked() {
    for (uri, expected) in [
        ("http://id.example/jwks", "must be https"),
        ("ftp://id.example/jwks", "must be a whole URL"),
        ("/jwks.json", "must be a whole URL"),
        ("", "must be a whole URL"),
        (
            "https://user:hunter2@id.example/jwks",
            "must not hold a user or password",
        ),
        ("https://id.example/jwks#a", "must be a whole URL"),
    ] {
        let (error, server) = refused("", |server| document(&server.origin(), uri)).await;
        assert_eq!(error.kind(), JwksErrorKind::Metadata);
        let text = error.to_string();
        assert!(
            text.contains("jwks_uri") && text.contains(expected),
            "{text}"
        );
        assert!(text.ends_with(&format!("({})", server.origin())), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn documents_that_are_none_are_not_taken() {
    let named = |rest: &'static str| {
        move |server: &Issuer| format!(r#"{{"issuer":"{}"{rest}"#, server.origin())
    };
    for said in [
        named("}"),
        named(r#","jwks_uri":null}"#),
        named(r#","jwks_uri":["http://127.0.0.1/"]}"#),
        named(r#","jwks_uri":"http://127.0.0.1/","jwks_uri":"http://127.0.0.1/"}"#),
        named(r#","issuer":"x","jwks_uri":"http://127.0.0.1/"}"#),
        named(""),
    ] {
        let (error, _server) = refused("", said).await;
        assert_eq!(error.kind(), JwksErrorKind::Metadata, "{error}");
    }
    let (error, _server) = refused("", |_| "<!doctype html>".to_owned()).await;
    assert_eq!(error.kind(), JwksErrorKind::Metadata);
    let long = |server: &Issuer| document(&server.origin(), &server.url()) + &" ".repeat(65_536);
    let (error, server) = refused("", long).await;
    assert_eq!(error.kind(), JwksErrorKind::TooLarge);
    assert!(error.to_string().contains(&server.origin()), "{error}");
}

/// All that a real issuer has beside, and some that none should have.
#[tokio::test]
async fn odd_members_do_not_matter() {
    let server = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
    let name = server.origin();
    let odd = format!(
        r#"{{"issuer":"{name}","x":{},"token_endpoint":7,"token_endpoint":8,
            "id_token_signing_alg_values_supported":{{}},"jwks_uri":"{}","scopes_supported":null}}"#,
        "[".repeat(20_000) + &"]".repeat(20_000),
        server.url()
    );
    server.says_at(OPENID, Reply::set(odd).with("content-type", "text/plain"));
    let issuer = RemoteIssuer::discover(&name).unwrap();
    issuer.refresh().await.unwrap();
    assert_eq!(issuer.health().keys(), 1);
    assert!(issuer.metadata().unwrap().algorithms().is_empty());
}

#[test]
fn names_that_no_issuer_has_are_configuration_errors() {
    for (name, problem) in [
        ("t.auth0.com", "must be a whole URL"),
        ("http://id.example", "must be https"),
        (
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "a template for many. Configure that of one tenant",
        ),
        ("https://id.example/a}", "a template for many"),
        ("https://id.example/?a=b", "has no query"),
        ("https://id.example/#a", "without a fragment"),
        (
            "https://u:hunter2@id.example",
            "must not hold a user or password: what an issuer publishes is public",
        ),
        (
            "https://id.example/.well-known/openid-configuration",
            "must be the issuer itself",
        ),
    ] {
        let error = RemoteIssuer::discover(name).unwrap_err();
        assert_eq!(error.setting(), "issuer");
        assert!(error.problem().contains(problem), "{error}");
        assert!(!error.problem().contains("hunter2"), "{error}");
    }
    let plain = RemoteIssuer::builder("http://id.example").dangerous_plain_http();
    assert!(plain.build().is_ok());
}

/// Outside of a runtime, too: an issuer that is not there yet is no reason not to start.
#[test]
fn construction_says_no_word_to_the_issuer() {
    let issuer = RemoteIssuer::discover("http://127.0.0.1:9").unwrap();
    assert!(issuer.metadata().is_none() && !issuer.health().is_ready());
    assert!(
        issuer
            .codec::<tower_bearer::NoClaims>()
            .audience("api")
            .build()
            .is_ok()
    );
}
