//! A real nginx in front of the example `forward_auth`. A proxy reads the status codes that this crate answers. No
//! header of a client turns a refusal into one that lets it in.

mod place;
mod wire;

use self::{
    place::Place,
    wire::{Answer, Ask},
};

/// Names that a client may give the content of its request. With every one of them it is refused alike.
const CONTENT_TYPES: [Option<&str>; 19] = [
    None,
    Some("application/json"),
    Some("application/x-www-form-urlencoded"),
    Some("text/plain"),
    Some("application/grpc"),
    Some("application/grpc+proto"),
    Some("application/grpc+json"),
    Some("application/grpc-web"),
    Some("application/grpc-web+proto"),
    Some("application/grpc-web+json"),
    Some("application/grpc-web-text"),
    Some("application/grpc-web-text+proto"),
    Some("APPLICATION/GRPC"),
    Some("Application/gRPC+Proto"),
    Some("application/grpcfoo"),
    Some("application/grpc; a=b"),
    Some("application/grpc;charset=utf-8"),
    Some("application/grpc, text/plain"),
    Some(""),
];

const METHODS: [&str; 3] = ["GET", "HEAD", "POST"];

/// Where the page is, behind each way to ask for it.
const PAGES: [&str; 4] = ["/", place::ALL_HEADERS, place::AS_SENT, place::FILE];

/// Stands on the page and in the file, and nowhere else.
const SECRET: &str = "Payroll";

impl Answer {
    /// Fails unless this refuses with this status, and with nothing of the page.
    fn refuses(&self, status: u16, what: &str) {
        assert_eq!(self.status, status, "{what}: {self:?}");
        assert!(!self.has(SECRET), "{what}: {self:?}");
        for name in ["grpc-status", "x-auth-subject"] {
            assert_eq!(self.header(name), None, "{what}: {self:?}");
        }
    }
}

/// Every content type with every method, on its way to every page and to the example itself.
async fn refused_everywhere(place: &Place, lines: &[String], direct: u16, by_nginx: u16) {
    for content_type in CONTENT_TYPES {
        for method in METHODS {
            let ask = |path| {
                let ask = Ask::new(method, path)
                    .line("X-Auth-Subject: mallory")
                    .lines(lines);
                ask.content_type(content_type)
            };
            let what = |place: &str| format!("{place}: {method} {content_type:?} {lines:?}");
            let answer = place.check(ask("/check")).await;
            answer.refuses(direct, &what("asked directly"));
            assert_eq!(
                answer.header("www-authenticate").is_some(),
                direct == 401 || direct == 400,
                "{answer:?}"
            );
            for page in PAGES {
                let answer = place.nginx(ask(page)).await;
                answer.refuses(by_nginx, &what(page));
            }
        }
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

#[tokio::test]
async fn without_a_token() {
    refused_everywhere(&Place::new("none").await, &[], 401, 401).await;
}

#[tokio::test]
async fn with_forged_tokens() {
    let place = Place::new("forged").await;
    let good = place.token();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let forged = [
        format!("{signed}.{}", "A".repeat(43)),
        format!("{signed}."),
        place::token_of_another(),
        "e30.e30.e30".to_owned(),
    ];
    for token in forged {
        refused_everywhere(&place, &[bearer(&token)], 401, 401).await;
    }
}

#[tokio::test]
async fn with_an_expired_token() {
    let place = Place::new("expired").await;
    refused_everywhere(&place, &[bearer(&place.expired())], 401, 401).await;
}

/// The client made a mistake, which is answered 400. nginx finds this one by itself.
#[tokio::test]
async fn with_two_tokens() {
    let place = Place::new("two").await;
    let good = bearer(&place.token());
    refused_everywhere(&place, &[good.clone(), good], 400, 400).await;
}

/// To nginx all answers but 401 and 403 are an error of the server's.
#[tokio::test]
async fn with_a_malformed_header() {
    let place = Place::new("malformed").await;
    let lines = [bearer("a b")];
    refused_everywhere(&place, &lines, 400, 500).await;
}

#[tokio::test]
async fn the_challenge_reaches_the_client() {
    let place = Place::new("challenge").await;
    let answer = place.nginx(Ask::new("GET", "/")).await;
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
}

#[tokio::test]
async fn the_page_for_a_good_token() {
    let place = Place::new("good").await;
    let good = bearer(&place.token());
    for content_type in CONTENT_TYPES {
        for method in METHODS {
            let ask = |path| {
                let ask = Ask::new(method, path).line("X-Auth-Subject: mallory");
                ask.lines(std::slice::from_ref(&good))
                    .content_type(content_type)
            };
            let what = format!("{method} {content_type:?}");
            let answer = place.check(ask("/check")).await;
            assert_eq!(answer.status, 204, "{what}: {answer:?}");
            assert_eq!(answer.header("x-auth-subject"), Some("alice"), "{what}");
            for page in ["/", place::ALL_HEADERS, place::AS_SENT] {
                let answer = place.nginx(ask(page)).await;
                assert_eq!(answer.status, 200, "{page} {what}: {answer:?}");
                let body = if method == "HEAD" {
                    ""
                } else {
                    "Payroll for alice\n"
                };
                assert_eq!(answer.body, body, "{page} {what}");
            }
        }
        let ask = Ask::new("GET", place::FILE).line(&good);
        let answer = place.nginx(ask.content_type(content_type)).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, place::TEXT));
    }
}

/// Without the proxy's word the page is closed, and the door that the proxy uses is not for clients.
#[tokio::test]
async fn no_way_around() {
    let place = Place::new("around").await;
    let good = bearer(&place.token());
    let asked = Ask::new("GET", "/_check").line(&good);
    assert_eq!(place.nginx(asked).await.status, 404);
    let page = place.page(Ask::new("GET", "/").line(&good)).await;
    page.refuses(401, "the page itself");
}

/// The manual shows the very configuration that is tried here, but for the address that clients see.
#[test]
fn the_manual_has_this_configuration() {
    /// The lines of a server that do anything.
    fn server(text: &str) -> Vec<&str> {
        let (_, lines) = text.split_once("server {").unwrap();
        let lines = lines.lines().map(|line| {
            let line = line.trim_start_matches("//!");
            line.split('#').next().unwrap().trim()
        });
        // Up to the end of the code in the manual, and of the file in the other case.
        let lines = lines.take_while(|line| !line.starts_with("```"));
        lines
            .filter(|line| !["", "}"].contains(line) && !line.starts_with("listen "))
            .collect()
    }
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/src/manual/native.rs");
    let manual = std::fs::read_to_string(manual).expect("the manual has the chapter `native`");
    assert_eq!(server(&manual), server(place::CONFIGURATION));
}
