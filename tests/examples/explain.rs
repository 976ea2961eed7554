//! `explain` says of real issuers' tokens what a service with the same lines does.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::example;

/// The date of the data's tokens.
const NOW: &str = "1800000010";

fn shapes() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/cases/issuers.json");
    let table: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    table["shapes"].as_array().unwrap().clone()
}

fn shape(name: &str) -> Value {
    let mut shapes = shapes().into_iter();
    shapes.find(|shape| shape["name"] == name).unwrap()
}

/// A folder with a set in a file.
struct Set(TempDir);

impl Set {
    fn of(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("jwks.json"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("jwks.json")
    }
}

fn run(args: &[&str], input: impl AsRef<[u8]>) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    fs::write(&path, input).unwrap();
    let stdin = Stdio::from(fs::File::open(&path).unwrap());
    example("explain").args(args).stdin(stdin).output().unwrap()
}

/// The lines that it prints of these tokens, with the set at `jwks`.
fn explained(shape: &Value, jwks: &str, more: &[&str], input: impl AsRef<[u8]>) -> Vec<Value> {
    let text = |name: &str| shape[name].as_str().unwrap();
    let (issuer, audience) = (text("issuer"), text("audience"));
    let mut args = vec![
        "--jwks",
        jwks,
        "--issuer",
        issuer,
        "--audience",
        audience,
        "--now",
        NOW,
    ];
    args.extend(more);
    let output = run(&args, input);
    let printed = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// The lines of the manual's table, as arguments.
fn arguments(name: &str) -> &'static [&'static str] {
    match name {
        "Okta" => &["--token-types", "at+jwt,absent", "--scope-claims", "scp"],
        "Entra ID v2" => &["--token-types", "at+jwt,JWT", "--scope-claims", "scp"],
        "Spring Authorization Server" => &["--token-types", "at+jwt,absent"],
        name if ["9068", "9864", "ML-DSA"]
            .iter()
            .any(|rfc| name.contains(rfc)) =>
        {
            &[]
        }
        _ => &["--token-types", "at+jwt,JWT"],
    }
}

#[test]
fn the_tokens_of_real_issuers() {
    for shape in shapes() {
        let name = shape["name"].as_str().unwrap();
        let set = Set::of(shape["jwks"].to_string());
        let path = set.path();
        let token = shape["token"].as_str().unwrap();
        let lines = explained(&shape, path.to_str().unwrap(), arguments(name), token);
        let [keys, verdict] = &lines[..] else {
            panic!("{name}: {lines:?}")
        };
        let published = shape["jwks"]["keys"].as_array().unwrap();
        let listed = keys["keys"].as_array().unwrap();
        assert_eq!(listed.len(), published.len(), "{name}");
        for (key, published) in listed.iter().zip(published) {
            assert_eq!(key["kid"], published["kid"], "{name}");
            let signs = published["use"] != "enc" && published["kty"] != "AKP";
            assert_eq!(key["state"], if signs { "usable" } else { "passed over" });
            assert_eq!(key["reason"].is_null(), signs, "{name}");
        }
        assert_eq!(verdict["verdict"], "accepted", "{name}: {verdict}");
        assert_eq!(verdict["subject"], shape["claims"]["sub"], "{name}");
        for nothing in ["kind", "reason", "setting"] {
            assert!(verdict[nothing].is_null(), "{name}");
        }
    }
}

/// The setting that a refusal names takes the token.
#[test]
fn a_refusal_names_its_cure() {
    let okta = shape("Okta");
    let set = Set::of(okta["jwks"].to_string());
    let path = set.path();
    let jwks = path.to_str().unwrap();
    let token = okta["token"].as_str().unwrap();
    let mut forged = token.to_owned();
    forged.replace_range(forged.len() - 4..forged.len() - 2, "AA");
    let input = format!(
        "\n{token}\r\n{forged}\n\n  \nno token\n\u{e9}.\0.\n{}",
        "a".repeat(3_000_000)
    );
    let lines = explained(&okta, jwks, &[], &input);
    assert_eq!(lines.len(), 6, "empty lines are passed over: {lines:?}");
    assert_eq!(lines[1]["verdict"], "refused");
    assert_eq!(lines[1]["kind"], "header_parameter");
    assert_eq!(lines[1]["setting"], "token_types");
    let cured = explained(&okta, jwks, arguments("Okta"), &input);
    assert_eq!(
        cured[1],
        json!({
            "verdict": "accepted", "kind": null, "reason": null, "setting": null,
            "subject": "00ujmkLgagxeRrAg20g3", "scopes": ["openid", "email"], "audiences": ["api://default"],
        })
    );
    assert_eq!(cured[2]["kind"], "signature");
    assert_eq!(cured[2]["setting"], Value::Null);
    for line in &cured[3..] {
        assert_eq!(line["verdict"], "refused");
        assert!(
            line["kind"].is_string() && line["reason"].is_string(),
            "{line}"
        );
        assert!(
            line["subject"].is_null() && line["scopes"].is_null() && line["audiences"].is_null()
        );
    }
    assert_eq!(cured[5]["setting"], "max_token_bytes");
    let header = format!("bearer {token}\nBearer  {forged}");
    let by_header = explained(&okta, jwks, arguments("Okta"), header);
    assert_eq!(by_header, cured[..3], "a header's value is its token");
    let late = explained(
        &okta,
        jwks,
        &[arguments("Okta"), &["--audience", "other"]].concat(),
        token,
    );
    assert_eq!(late[1]["verdict"], "accepted", "one of several audiences");
    let client = [
        "--token-types",
        "at+jwt,absent",
        "--audience-claim",
        "cid",
        "--audience",
        "nmdP1fcyvdVO11AL7ECm",
    ];
    let by_client = explained(&okta, jwks, &client, token);
    assert_eq!(
        by_client[1]["audiences"],
        json!(["nmdP1fcyvdVO11AL7ECm"]),
        "{}",
        by_client[1]
    );
}

/// An issuer's keys are the same from its URL and from a file, also when none is of use.
#[test]
fn a_file_is_what_its_url_is() {
    let keycloak = shape("Keycloak");
    let mut poisoned = keycloak["jwks"].clone();
    for key in poisoned["keys"].as_array_mut().unwrap() {
        key["d"] = "c2VjcmV0LXNlY3JldA".into();
    }
    let token = keycloak["token"].as_str().unwrap();
    for (set, verdict, kind) in [
        (keycloak["jwks"].to_string(), "accepted", Value::Null),
        (poisoned.to_string(), "refused", "keys_unavailable".into()),
        (
            r#"{"keys":[]}"#.into(),
            "refused",
            "keys_unavailable".into(),
        ),
    ] {
        let file = Set::of(&set);
        let path = file.path();
        let by_file = explained(
            &keycloak,
            path.to_str().unwrap(),
            arguments("Keycloak"),
            token,
        );
        let url = serve(set);
        let by_url = explained(&keycloak, &url, arguments("Keycloak"), token);
        assert_eq!(by_file, by_url);
        assert_eq!(
            (&by_file[1]["verdict"], &by_file[1]["kind"]),
            (&verdict.into(), &kind)
        );
        assert!(!by_file[0].to_string().contains("c2VjcmV0"));
    }
}

#[test]
fn inputs_that_cannot_be_explained() {
    let set = Set::of(shape("Okta")["jwks"].to_string());
    let path = set.path();
    let path = path.to_str().unwrap();
    let issued = ["--issuer", "i", "--audience", "a"];
    for more in [
        vec![],
        vec!["--jwks", path],
        vec!["--jwks", path, "--issuer", "i"],
        vec!["--jwks", path, "--now", "soon"],
        vec!["--jwks", path, "--unknown", "x"],
        [
            ["--jwks", path].as_slice(),
            &issued,
            &["--token-types", "logout+jwt"],
        ]
        .concat(),
        [["--jwks", path].as_slice(), &issued, &["--token-types", ""]].concat(),
        [["--jwks", path].as_slice(), &issued, &["--now"]].concat(),
    ] {
        let output = run(&more, "");
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("usage: explain --jwks"), "{said}");
    }
    let html = Set::of("<html>");
    let html = html.path();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nothing = format!("http://{}/jwks", free.local_addr().unwrap());
    drop(free);
    let metadata = serve(r#"{"jwks_uri":"https://id.example/jwks"}"#.into());
    for source in ["/no/such/file", html.to_str().unwrap(), &nothing, &metadata] {
        let output = run(&[["--jwks", source].as_slice(), &issued].concat(), "");
        assert_eq!(output.status.code(), Some(1), "{source}");
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with(&format!("explain: the keys of {source:?} cannot be had: ")),
            "{said}"
        );
    }
}

/// Answers every request with this set, until the tests end.
fn serve(set: String) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{set}",
                set.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}
