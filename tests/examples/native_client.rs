//! The client's command line against its server: it loses answers, crashes, and is copied.

use std::{
    fs,
    io::{Seek, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, Browser, Ended, PASSWORD, Program, example, serve};

const REPLACED: &str = "the refresh token was replaced";

/// How often a sign-in is tried again.
const TRIES: u32 = 5;

/// A user of this machine, at a server.
struct User {
    server: Program,
    /// Asks the server without the client, as a program does that has no cookies.
    wire: Browser,
    folder: TempDir,
}

impl User {
    async fn new() -> Self {
        let (server, mut wire) = serve(&mut example("native_client")).await;
        wire.agent = "native-client";
        Self {
            server,
            wire,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    async fn signed_in() -> Self {
        let user = Self::new().await;
        let mut signed_in = user.sign_in(PASSWORD).await;
        // The check of the password is slow by design. On a busy machine the client gives up, and its user
        // tries again.
        for _ in 0..TRIES {
            if signed_in.success || !signed_in.err.contains("TimedOut") {
                break;
            }
            signed_in = user.sign_in(PASSWORD).await;
        }
        assert!(signed_in.success, "{signed_in:?}");
        user
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("native.token")
    }

    fn token(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Puts another token into the file, as a crash or a copy would.
    fn put(&self, token: &str) {
        fs::write(self.file(), token).unwrap();
    }

    fn command(&self, name: &str) -> Command {
        let mut command = example("native_client");
        command
            .arg(name)
            .env("SERVER", &self.wire.url)
            .env("TOKEN_FILE", self.file());
        command
    }

    async fn runs(&self, name: &str) -> Ended {
        Program::spawn(&mut self.command(name)).ends().await
    }

    /// The sessions that the client prints.
    async fn sessions(&self) -> Vec<Value> {
        let ended = self.runs("sessions").await;
        assert!(ended.success, "{ended:?}");
        let list: Value = serde_json::from_str(&ended.out).unwrap();
        list["sessions"].as_array().unwrap().clone()
    }

    async fn sign_in(&self, password: &str) -> Ended {
        let mut typed = tempfile::tempfile().unwrap();
        writeln!(typed, "{password}").unwrap();
        typed.rewind().unwrap();
        let mut command = self.command("sign-in");
        Program::spawn(command.stdin(typed)).ends().await
    }

    async fn sign_out(&self) {
        let ended = self.runs("sign-out").await;
        assert!(ended.success, "{ended:?}");
    }

    /// The client is told its name, and reports what it does.
    async fn knows_me(&self) -> String {
        is_user(self.runs("whoami").await)
    }

    async fn fails(&self, why: &str) {
        let ended = self.runs("whoami").await;
        assert!(
            !ended.success && ended.err.contains(why),
            "{why}: {ended:?}"
        );
    }

    /// Asks for a new token as the client does.
    async fn post(&mut self, body: String, cookie: Option<&str>) -> Answer {
        let mut ask = self
            .wire
            .post("/native/refresh")
            .without("origin")
            .header("content-type", "application/json")
            .body(body);
        if let Some(cookie) = cookie {
            ask = ask.header("cookie", &format!("__Secure-refresh_token={cookie}"));
        }
        let answer = ask.await;
        // Nothing here is a cookie, ever.
        answer.lacks("set-cookie", "");
        answer
    }

    async fn present(&mut self, token: &str) -> Answer {
        self.post(body(token), None).await
    }
}

fn body(token: &str) -> String {
    json!({ "refresh_token": token }).to_string()
}

fn is_user(ended: Ended) -> String {
    assert!(
        ended.success && ended.out.trim_end() == "user-1",
        "{ended:?}"
    );
    ended.err
}

#[tokio::test]
async fn without_a_session() {
    let user = User::new().await;
    user.fails("no user is signed in").await;
    let wrong = user.sign_in("wrong").await;
    assert!(!wrong.success && wrong.err.contains("401"), "{wrong:?}");
    assert!(!user.file().exists());
    user.server.stops().await;
}

#[tokio::test]
async fn the_file_with_the_token() {
    let user = User::signed_in().await;
    let private = || fs::metadata(user.file()).unwrap().permissions().mode() & 0o777 == 0o600;
    assert!(private());
    let first = user.token();
    // Not what a cookie would hold, and no access token either.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    assert!(!first.is_empty() && first.len() < 512 && first.chars().all(plain));

    assert!(user.knows_me().await.contains(REPLACED));
    let second = user.token();
    assert!(private() && second != first);
    // Again, within the interval: the token in hand stays.
    assert_eq!(user.knows_me().await, "");
    assert_eq!(user.token(), second);
}

#[tokio::test]
async fn a_crash_before_the_new_token_was_stored() {
    let mut user = User::signed_in().await;
    let first = user.token();
    user.knows_me().await;
    let second = user.token();
    // The old one is answered with the same successor.
    user.put(&first);
    assert!(user.knows_me().await.contains(REPLACED));
    let again = user.token();
    user.present(&again).await.is(200);
    user.present(&second).await.is(200);
}

#[tokio::test]
async fn a_lost_answer() {
    let user = User::signed_in().await;
    // The server stands still while the client gives up waiting.
    user.server.signal("STOP");
    let client = Program::spawn(&mut user.command("whoami"));
    client.reports("the same request again").await;
    user.server.signal("CONT");
    is_user(client.ends().await);
    user.knows_me().await;
}

#[tokio::test]
async fn four_processes_at_once() {
    let user = User::signed_in().await;
    let clients = [(); 4].map(|()| Program::spawn(&mut user.command("whoami")));
    for client in clients {
        is_user(client.ends().await);
    }
}

#[tokio::test]
async fn the_bytes_on_the_wire() {
    let mut user = User::signed_in().await;
    let token = user.token();
    let nothing = user.post("{}".into(), None).await;
    nothing
        .is(401)
        .has("content-type", "application/problem+json");
    user.present("nonsense").await.is(401);
    user.post("nonsense".into(), None).await.is(400);
    // A cookie is refused, whatever it holds and with whatever else it comes.
    user.post(String::new(), Some(&token)).await.is(400);
    user.post(body(&token), Some(&token)).await.is(400);
}

#[tokio::test]
async fn a_sign_out_reaches_the_server() {
    let mut user = User::signed_in().await;
    let kept = user.token();
    user.sign_out().await;
    assert!(!user.file().exists());
    user.present(&kept).await.is(401);
    user.sign_out().await;
    // A client that did not hear of it learns it from the 401, and forgets the token.
    user.put(&kept);
    user.fails("sign in again").await;
    assert!(!user.file().exists());
}

#[tokio::test]
async fn the_client_lists_sessions_and_ends_one_of_them() {
    let mut user = User::signed_in().await;
    let lost = user.token();
    // A machine that was lost: its token is not there to sign out with.
    fs::remove_file(user.file()).unwrap();
    assert!(user.sign_in(PASSWORD).await.success);
    let sessions = user.sessions().await;
    assert_eq!(sessions.len(), 2);
    let id = sessions[1]["id"].as_str().unwrap();
    let ended = Program::spawn(user.command("end").arg(id)).ends().await;
    assert!(ended.success, "{ended:?}");
    assert_eq!(user.sessions().await.len(), 1);
    user.present(&lost).await.is(401);
    user.knows_me().await;
}

#[tokio::test]
async fn an_old_token_on_another_client_gets_nothing() {
    let mut user = User::signed_in().await;
    let first = user.token();
    user.knows_me().await;
    user.wire.agent = "thief";
    user.present(&first).await.is(409);
    // Within the grace it ends nothing.
    user.knows_me().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_costs_no_token() {
    let user = User::signed_in().await;
    let kept = user.token();
    user.server.signal("KILL");
    user.fails("no answer from").await;
    assert_eq!(user.token(), kept);
}
