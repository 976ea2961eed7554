//! The manual's chapter on access tokens: its lines accept the tokens of the issuers that it names.

mod several;

use std::{fs, path::Path};

use serde_json::Value;
use tower_bearer::{
    Claims, KeyRing, NoClaims, Timestamp, TokenCodec, TokenError,
    token::{TokenCodecBuilder, TokenType},
};

use crate::support::cases;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_010);

/// A row of the page's table that the data has a shape for.
struct Row {
    /// How its first cell begins.
    page: &'static str,
    /// The shape's name in the data.
    shape: &'static str,
    /// The lines as they stand here, which is how they stand there.
    text: &'static str,
    lines: fn(TokenCodecBuilder<NoClaims>) -> TokenCodecBuilder<NoClaims>,
}

macro_rules! row {
    ($page:literal, $shape:literal, $($lines:tt)*) => {
        Row {
            page: $page,
            shape: $shape,
            text: stringify!($($lines)*),
            lines: |builder| builder $($lines)*,
        }
    };
}

#[rustfmt::skip]
const ROWS: [Row; 11] = [
    row!("[Auth0]", "Auth0 (default profile)", .token_types([TokenType::AccessToken, TokenType::Jwt])),
    row!("Auth0, profile RFC 9068", "Auth0 (RFC 9068 profile)",),
    row!("[Okta]", "Okta", .token_types([TokenType::AccessToken, TokenType::Absent]) .scope_claims(["scp"])),
    row!("[Keycloak]", "Keycloak", .token_types([TokenType::AccessToken, TokenType::Jwt])),
    row!("[Keycloak]", "Keycloak, one kid for enc and sig", .token_types([TokenType::AccessToken, TokenType::Jwt])),
    row!("[Entra ID]", "Entra ID v2", .token_types([TokenType::AccessToken, TokenType::Jwt]) .scope_claims(["scp"])),
    row!("[Firebase]", "Firebase / Google id token", .token_types([TokenType::AccessToken, TokenType::Jwt])),
    row!("[Supabase]", "Supabase", .token_types([TokenType::AccessToken, TokenType::Jwt])),
    row!("[Spring Authorization Server]", "Spring Authorization Server", .token_types([TokenType::AccessToken, TokenType::Absent])),
    row!("one that follows RFC 9068", "RFC 9864 issuer (alg Ed25519)",),
    row!("one that follows RFC 9068", "issuer with an ML-DSA key beside",),
];

/// The data about an issuer.
struct Shape {
    name: String,
    issuer: String,
    audience: String,
    jwks: Value,
    token: String,
    claims: Value,
}

fn shapes() -> Vec<Shape> {
    let table = cases::table("issuers.json");
    let shapes = table["shapes"].as_array().unwrap();
    let text = |shape: &Value, name: &str| shape[name].as_str().unwrap().to_owned();
    let shapes = shapes.iter().map(|shape| Shape {
        name: text(shape, "name"),
        issuer: text(shape, "issuer"),
        audience: text(shape, "audience"),
        jwks: shape["jwks"].clone(),
        token: text(shape, "token"),
        claims: shape["claims"].clone(),
    });
    shapes.collect()
}

impl Shape {
    fn row(&self) -> &'static Row {
        let row = ROWS.iter().find(|row| row.shape == self.name);
        row.unwrap_or_else(|| panic!("the page has no row for {}", self.name))
    }

    /// The codec that the page leads to, over these keys, with the row's lines or without any.
    fn codec(&self, keys: &KeyRing, with_lines: bool) -> TokenCodec {
        let builder = TokenCodec::signed(keys)
            .issuer(&self.issuer)
            .audience(&self.audience);
        let builder = match with_lines {
            true => (self.row().lines)(builder),
            false => builder,
        };
        builder.build().unwrap()
    }

    fn keys(&self) -> KeyRing {
        KeyRing::verifier(&self.jwks.to_string()).unwrap()
    }

    fn verify(&self, with_lines: bool) -> Result<Claims, TokenError> {
        let codec = self.codec(&self.keys(), with_lines);
        codec.verify_at(&self.token, NOW)
    }

    /// The scopes as its issuer writes them.
    fn scopes(&self) -> Vec<&str> {
        let claim = match self.row().text.contains("scp") {
            true => &self.claims["scp"],
            false => &self.claims["scope"],
        };
        match claim {
            Value::String(text) => text.split(' ').collect(),
            list => list
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(Value::as_str)
                .collect(),
        }
    }
}

#[test]
fn the_lines_of_the_page_take_the_tokens_of_its_issuers() {
    let shapes = shapes();
    assert_eq!(shapes.len(), ROWS.len());
    for shape in &shapes {
        let row = shape.row();
        let claims = shape.verify(true);
        let claims = claims.unwrap_or_else(|error| panic!("{}: {error}", shape.name));
        assert_eq!(claims.subject(), shape.claims["sub"], "{}", shape.name);
        assert_eq!(claims.issuer(), Some(shape.issuer.as_str()));
        let scopes: Vec<_> = claims
            .scope()
            .iter()
            .flat_map(|scope| scope.split(' '))
            .collect();
        assert_eq!(scopes, shape.scopes(), "{}", shape.name);
        assert!(
            claims
                .audiences()
                .any(|audience| audience == shape.audience)
        );
        assert!(!row.text.contains("dangerous"), "{}", row.text);
        // A row without lines wants none; the error of every other names the first of them.
        match (shape.verify(false), row.text.is_empty()) {
            (Ok(_), true) => {}
            (Err(error), false) => {
                let setting = error.setting().unwrap_or_default();
                assert!(
                    row.text.contains(setting) && !setting.is_empty(),
                    "{error:?}"
                );
            }
            (verdict, _) => panic!("{}: {verdict:?}", shape.name),
        }
    }
}

/// Access tokens as RFC 9068 has them need nothing, whatever stands beside their key.
#[test]
fn the_profile_of_rfc_9068_needs_no_line() {
    let mut found = 0;
    for shape in shapes() {
        if ["RFC 9068", "RFC 9864", "ML-DSA"]
            .iter()
            .any(|name| shape.name.contains(name))
        {
            found += 1;
            assert!(shape.verify(false).is_ok(), "{}", shape.name);
        }
    }
    assert_eq!(found, 3);
}

/// The lines above are those of the page, letter for letter.
#[test]
fn the_page_has_these_lines() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual/access_tokens.rs");
    let page = fs::read_to_string(path).unwrap();
    for row in &ROWS {
        let begin = format!("//! | {}", row.page);
        let line = page.lines().find(|line| line.starts_with(&begin));
        let line = line.unwrap_or_else(|| panic!("no row {}", row.page));
        let cell = line
            .split(" | ")
            .last()
            .unwrap()
            .trim_end_matches('|')
            .trim();
        let compact = |text: &str| text.replace([' ', '\n', '`'], "");
        let stated = match cell {
            "none" => String::new(),
            lines => compact(lines),
        };
        assert_eq!(stated, compact(row.text), "{}", row.page);
    }
}

/// A token of one issuer is nothing to another: neither by its keys nor by its rules.
#[test]
fn no_issuer_speaks_for_another() {
    let shapes = shapes();
    for one in &shapes {
        for other in shapes.iter().filter(|other| other.issuer != one.issuer) {
            let by_keys = one.codec(&other.keys(), true);
            assert!(by_keys.verify_at(&one.token, NOW).is_err(), "{}", one.name);
            let by_rules = other.codec(&one.keys(), true);
            assert!(by_rules.verify_at(&one.token, NOW).is_err(), "{}", one.name);
        }
    }
}
