//! The program of the README, which has no settings but its keys.

use std::process::Command;

use tokio::{
    net::TcpStream,
    sync::Mutex,
    time::{Duration, Instant, sleep},
};

use crate::support::{Browser, Ended, PASSWORD, PATIENCE, Program, example, keys};

const README: &str = include_str!("../../README.md");

/// Where it listens, and the origin of its page.
pub(crate) const ADDRESS: &str = "127.0.0.1:3000";
pub(crate) const PAGE: &str = "https://app.example";

/// Held by the test whose program listens there.
pub(crate) static PORT: Mutex<()> = Mutex::const_new(());

/// Starts it. It prints nothing, so it is there when it answers. While another program has its port, it cannot start,
/// and is started again.
pub(crate) async fn start(command: &mut Command) -> Program {
    let begin = Instant::now();
    let mut program = Program::spawn(command);
    loop {
        sleep(Duration::from_millis(200)).await;
        let late = begin.elapsed() > PATIENCE;
        if program.has_ended() {
            let err = program.err();
            assert!(err.contains("AddrInUse") && !late, "it ended: {err}");
            program = Program::spawn(command);
        } else if TcpStream::connect(ADDRESS).await.is_ok() {
            return program;
        } else {
            assert!(!late, "nothing listens at {ADDRESS}");
        }
    }
}

#[tokio::test]
async fn a_session_from_sign_in_to_sign_out() {
    let _port = PORT.lock().await;
    let program = start(example("axum").envs(keys())).await;
    let mut browser = Browser::new(format!("http://{ADDRESS}")).page_of(PAGE);
    let refused = browser.get("/api/profile").await;
    refused
        .is(401)
        .has("www-authenticate", "Bearer")
        .has("x-content-type-options", "nosniff");

    browser.sign_in(PASSWORD).await.is(403);
    browser.get("/auth/csrf").await.is(200);
    let own = format!("http://{ADDRESS}");
    let foreign = browser.sign_in(PASSWORD).header("origin", &own).await;
    foreign.is(403).lacks("set-cookie", "");
    browser.sign_in("").await.is(401);
    let started = browser.sign_in(PASSWORD).await;
    let token = started
        .is(200)
        .has(
            "set-cookie",
            "__Secure-refresh_token=*HttpOnly*SameSite=Strict*Secure*Path=/auth",
        )
        .access_token();
    let profile = browser.get("/api/profile").bearer(&token).await;
    profile.is(200).says_just("user-1 is reader");
    assert_eq!(
        (program.out(), program.err()),
        <(String, String)>::default()
    );

    let mut thief = browser.stolen();
    let token = browser.refresh().await.is(200).access_token();
    browser.get("/api/profile").bearer(&token).await.is(200);
    let sessions = browser.get("/auth/sessions").await;
    sessions.is(200).says(r#""current":true"#);
    // The replaced cookie gets nothing on another client, and within the grace it ends nothing.
    thief.refresh().await.is(409);
    browser.refresh().await.is(200);
    let mut copy = browser.clone();
    browser.post("/auth/logout").await.is(204);
    copy.refresh().await.is(401);
}

/// The blocks of the README's first screen that are for a shell. They add the dependency, start the program, and walk
/// through it.
fn blocks() -> [&'static str; 3] {
    let (_, start) = README.split_once("\n## Start\n").expect("a part `Start`");
    let (start, _) = start.split_once("\n## ").unwrap();
    let blocks = start.split("\n```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<_> = blocks.collect();
    blocks.try_into().expect("three blocks for a shell")
}

fn bash(script: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]);
    command
}

/// A stranger's shell: what the README says is typed as it stands there, by the programs that it names.
#[tokio::test]
async fn the_walk_of_the_readme_answers_what_the_readme_says() {
    for needed in ["curl", "openssl"] {
        let found = bash(&format!("command -v {needed}")).output().unwrap();
        assert!(found.status.success(), "{needed} is not installed");
    }
    let [_, start, walk] = blocks();
    let (export, run) = start.split_once('\n').unwrap();
    assert_eq!(run, "cargo run\n");

    let _port = PORT.lock().await;
    let program = example("axum");
    let script = format!("{export}\nexec {:?}", program.get_program());
    let _program = self::start(&mut bash(&script)).await;
    let folder = tempfile::tempdir().unwrap();
    let walked = Ended::of(bash(walk).current_dir(&folder));
    assert!(walked.success, "{walked:?}");
    let expected: Vec<_> = walk.lines().filter_map(|l| l.strip_prefix("# ")).collect();
    let printed: Vec<_> = walked.out.lines().collect();
    assert_eq!(printed.len(), expected.len(), "{walked:?}");
    for (printed, expected) in printed.into_iter().zip(expected) {
        // Each `…` stands for anything.
        let begin = expected.split('…').next().unwrap();
        let rest = expected
            .split('…')
            .try_fold(printed, |rest, part| Some(rest.split_once(part)?.1));
        assert!(
            printed.starts_with(begin) && rest == Some(""),
            "README: {expected}\nprinted: {printed}"
        );
    }
}

/// A start without them is the first mistake of all.
#[tokio::test]
async fn faults_of_its_secrets_are_reported_with_the_line_of_the_readme() {
    let [_, start, _] = blocks();
    let (export, _) = start.split_once('\n').unwrap();
    Ended::refused(&mut example("axum"), export).await;
    let (lacking, rest) = export.split_once(" REFRESH_SECRET=").unwrap();
    let mut command = example("axum");
    for (name, value) in keys() {
        if lacking.contains(&name) {
            command.env(name, value);
        }
    }
    let cure = format!("export REFRESH_SECRET={rest}");
    Ended::refused(&mut command, &cure).await;
    for (secret, why) in [
        (
            "MDEyMzQ1Njc4OQ",
            "ACCESS_SECRET: must have at least 32 bytes",
        ),
        ("!!no/base64!!", "ACCESS_SECRET: must be base64url"),
        ("", "ACCESS_SECRET: is set but empty"),
    ] {
        let ended = Ended::refused(command.env("ACCESS_SECRET", secret), why).await;
        assert!(ended.err.contains("openssl rand -base64 32"), "{ended:?}");
        assert!(
            secret.is_empty() || !ended.err.contains(secret),
            "{ended:?}"
        );
    }
}
