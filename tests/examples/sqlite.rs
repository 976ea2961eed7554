//! Sessions in a file: they outlive a process that is killed, and processes of one machine share them.

use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use futures_util::future::join_all;

use crate::{
    axum::{ADDRESS, PAGE, PORT, start},
    support::{Browser, Ended, LOCAL, PASSWORD, Program, example, keys, serve},
};

const COOKIE: &str = "__Secure-refresh_token";
const CLEARED: &str = "__Secure-refresh_token=;*Max-Age=0";

#[test]
fn the_program_is_that_of_the_readme_but_for_one_line_and_its_import() {
    let (axum, sqlite) = (
        include_str!("../../examples/axum/src/main.rs"),
        include_str!("../../examples/sqlite/src/main.rs"),
    );
    let without = |program: &'static str, others: &str| -> Vec<_> {
        let others: Vec<_> = others.lines().collect();
        program
            .lines()
            .filter(|line| !others.contains(line))
            .collect()
    };
    assert_eq!(
        without(axum, sqlite),
        [
            "use tower_bearer::{Auth, Claims, ClaimsError, ClaimsRequest, KeyRing, MemoryStore, Session};",
            "        .store(MemoryStore::new())",
        ]
    );
    assert_eq!(
        without(sqlite, axum),
        [
            "use tower_bearer::{Auth, Claims, ClaimsError, ClaimsRequest, KeyRing, Session};",
            "use tower_bearer_sqlx::SqliteStore;",
            r#"        .store(SqliteStore::open("sessions.db").await?)"#,
        ]
    );
    // In the same order: the lines that both have are the same text.
    let common = |program: &str, theirs: [&str; 3]| {
        let lines = program.lines().filter(|line| {
            let line = line.trim();
            !theirs.iter().any(|own| line.starts_with(own))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let theirs = ["use tower_bearer::{", "use tower_bearer_sqlx::", ".store("];
    assert_eq!(common(axum, theirs), common(sqlite, theirs));
}

#[tokio::test]
async fn the_program_of_the_readme_keeps_its_sessions_when_it_is_killed() {
    let _port = PORT.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = example("sqlite");
    command.envs(keys()).current_dir(folder.path());
    let program = start(&mut command).await;
    let mut browser = Browser::new(format!("http://{ADDRESS}")).page_of(PAGE);
    browser.get("/auth/csrf").await.is(200);
    browser.sign_in(PASSWORD).await.is(200);
    let files = fs::read_dir(folder.path()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }

    program.kill();
    let program = start(&mut command).await;
    let token = browser.refresh().await.is(200).access_token();
    let profile = browser.get("/api/profile").bearer(&token).await;
    profile.is(200).says_just("user-1 is reader");
    program.kill();
}

/// A database, and the keys of all processes over it.
struct Place {
    folder: tempfile::TempDir,
    keys: Vec<(String, String)>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            keys: keys(),
        }
    }

    fn command(&self, database: &Path) -> Command {
        let mut command = example("demo");
        command
            .envs(self.keys.clone())
            .env("DATABASE", database)
            .env("INSECURE_COOKIE", "0");
        command
    }

    async fn start(&self) -> (Program, Browser) {
        let database = self.folder.path().join("sessions.db");
        let (service, browser) = serve(&mut self.command(&database)).await;
        let out = service.out();
        assert!(
            out.contains("Sessions live in ") && out.contains("/sessions.db"),
            "{out}"
        );
        assert_eq!(service.err(), "");
        (service, browser)
    }

    /// One with a session.
    async fn signed_in(&self) -> (Program, Browser) {
        let (service, mut browser) = self.start().await;
        browser.get("/auth/csrf").await.is(200);
        browser.sign_in("wrong").await.is(401);
        browser.sign_in(PASSWORD).await.is(200);
        (service, browser)
    }

    /// Kills the service, starts it again, and leads the browser to where it is now.
    async fn restart(&self, service: Program, browser: &mut Browser) -> Program {
        service.kill();
        let (service, now) = self.start().await;
        browser.go_to(&now.url);
        service
    }
}

#[tokio::test]
async fn the_pages_sessions_outlive_a_killed_process() {
    let place = Place::new();
    let (service, mut browser) = place.signed_in().await;
    let service = place.restart(service, &mut browser).await;
    let refreshed = browser.refresh().await;
    let token = refreshed
        .is(200)
        .has("set-cookie", "__Secure-refresh_token=")
        .access_token();
    let profile = browser.get("/api/profile").bearer(&token).await;
    profile.is(200).says(r#""id":"user-1""#);

    // A rotation is there after the process was killed, and so is a sign-out.
    let mut copy = browser.clone();
    let service = place.restart(service, &mut browser).await;
    browser.refresh().await.is(200);
    browser.post("/auth/logout").await.is(204);
    let _service = place.restart(service, &mut browser).await;
    copy.go_to(&browser.url);
    copy.refresh().await.is(401).has("set-cookie", CLEARED);
}

#[tokio::test]
async fn a_replaced_cookie_on_another_client_gets_nothing() {
    let place = Place::new();
    let (service, mut browser) = place.signed_in().await;
    let mut thief = browser.stolen();
    browser.refresh().await.is(200);
    thief.refresh().await.is(409);
    browser.refresh().await.is(200);
    service.stops().await;
}

#[tokio::test]
async fn two_processes_over_one_file_answer_with_one_successor() {
    let place = Place::new();
    let (_one, mut browser) = place.signed_in().await;
    let (_two, other) = place.start().await;
    let mut tabs: Vec<_> = (0..40).map(|_| browser.clone()).collect();
    for tab in tabs.iter_mut().step_by(2) {
        tab.go_to(&other.url);
    }
    // One token, and all at once.
    let answers = join_all(tabs.iter_mut().map(|tab| tab.refresh().into_future())).await;
    let mut successors = HashSet::new();
    for answer in &answers {
        answer.is(200);
        let set = answer.cookies().filter(|(name, _)| *name == COOKIE);
        successors.extend(set.map(|(_, value)| value));
    }
    // It was sealed anew for each. Were there two, one of them would be an old token by now, and using it
    // theft.
    assert!(successors.len() > 1);
    for successor in successors {
        browser.jar.replace(COOKIE, successor);
        browser.refresh().await.is(200);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_keeps_it_from_starting() {
    let place = Place::new();
    let text = place.folder.path().join("text");
    let long = "this is no database, and it is long enough to be taken for one at a glance";
    fs::write(&text, long).unwrap();
    for path in [place.folder.path().join("nowhere/sessions.db"), text] {
        let why = format!("DATABASE: `{}`: ", path.display());
        let ended = Ended::refused(place.command(&path).env("ADDR", LOCAL), &why).await;
        assert!(
            !ended.err.trim_end().ends_with(": "),
            "it names no cure: {ended:?}"
        );
    }
    let mut command = place.command(Path::new("sessions.db"));
    command
        .env("ADDR", LOCAL)
        .env("REDIS_URL", "redis://127.0.0.1/");
    Ended::refused(&mut command, "DATABASE: REDIS_URL is set too").await;
}
