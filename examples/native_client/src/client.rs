//! A client without a cookie jar, and its refresh token.
//!
//! 1. It keeps the token where no other user can read it. Here that is a file with mode 0600. On a desktop or a phone
//!    it is the keychain; the crate `keyring` writes to it.
//! 2. It stores a new token *before* it uses what came with it. After an answer without one it goes on
//!    with the newest that it has.
//! 3. When an answer is lost, it sends *the same token* again. The server knows it by what it was, and
//!    answers with the same successor.
//! 4. It refreshes one at a time, other processes of this user included.
//! 5. It has the same `User-Agent` in every request, version numbers left out. It has no cookie jar, so the server
//!    has no other evidence that tells it from a thief.
//! 6. It signs in again after a 401 and after nothing else.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use tokio::time;

use crate::Error;

/// How often a refresh is tried before its caller hears of it.
const TRIES: u32 = 5;
/// How long it waits where the server has not said how long.
const A_MOMENT: Duration = Duration::from_secs(1);

/// The answer to sign-in and refresh. It is never printed, so it has no `Debug`.
#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: Option<String>,
}

/// A user of this machine at one server.
pub(crate) struct Client {
    http: reqwest::Client,
    server: String,
    file: PathBuf,
}

impl Client {
    pub(crate) fn new(server: String, file: impl Into<PathBuf>) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .user_agent("native-client")
            .timeout(Duration::from_secs(2))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let file = file.into();
        Ok(Self { http, server, file })
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<(), Error> {
        // Overwriting a token would leave a session that is never ended.
        self.sign_out().await?;
        let _lock = self.lock()?;
        let to = format!("{}/native/login", self.server);
        let form = json!({ "email": email, "password": password });
        let answer = self.http.post(to).json(&form).send().await?;
        let tokens: Tokens = answer.error_for_status()?.json().await?;
        let refresh = tokens
            .refresh_token
            .ok_or("the server sent no refresh token")?;
        Ok(write(&self.file, &refresh)?)
    }

    /// Reads something that takes an access token. A program that runs for longer keeps the token in memory, never in a
    /// file. It asks for the next one when `expires_in` is nearly over.
    pub(crate) async fn get(&self, path: &str) -> Result<String, Error> {
        let token = self.refresh().await?;
        let at = format!("{}{path}", self.server);
        let answer = self.http.get(at).bearer_auth(token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Asks for something that takes the refresh token: the list of sessions, or the end of one of them.
    pub(crate) async fn ask(&self, path: &str) -> Result<String, Error> {
        // A client that the session does not know yet is told to refresh first.
        self.refresh().await?;
        let _lock = self.lock()?;
        let token = read(&self.file)?.ok_or("no user is signed in")?;
        let to = format!("{}/native{path}", self.server);
        let form = json!({ "refresh_token": token });
        let answer = self.http.post(to).json(&form).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Ends the session on the server, then forgets its token. Without a session there is nothing to do.
    pub(crate) async fn sign_out(&self) -> Result<(), Error> {
        let _lock = self.lock()?;
        let Some(token) = read(&self.file)? else {
            return Ok(());
        };
        let to = format!("{}/native/logout", self.server);
        let form = json!({ "refresh_token": token });
        let answer = self.http.post(to).json(&form).send().await?;
        // 204 also for a session that has ended. After anything else the token is kept, to try again.
        answer.error_for_status()?;
        Ok(fs::remove_file(&self.file)?)
    }

    /// A fresh access token.
    async fn refresh(&self) -> Result<String, Error> {
        let _lock = self.lock()?;
        // Read under the lock: another process may just have replaced it.
        let token = read(&self.file)?.ok_or("no user is signed in")?;
        let to = format!("{}/native/refresh", self.server);
        let form = json!({ "refresh_token": token });
        for _ in 0..TRIES {
            let wait = match self.http.post(&to).json(&form).send().await {
                Err(_) => A_MOMENT,
                Ok(answer) => match answer.status() {
                    StatusCode::OK => match answer.json().await {
                        Ok(tokens) => return self.accept(tokens),
                        // It broke off on the way.
                        Err(_) => A_MOMENT,
                    },
                    StatusCode::UNAUTHORIZED => {
                        fs::remove_file(&self.file)?;
                        return Err("the session is over: sign in again".into());
                    }
                    StatusCode::CONFLICT
                    | StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::SERVICE_UNAVAILABLE => retry_after(&answer),
                    other => return Err(format!("the server answers {other}").into()),
                },
            };
            eprintln!("no token yet: the same request again in {wait:?}");
            time::sleep(wait).await;
        }
        // The token is kept: it is as good as before.
        Err(format!("no answer from {} in {TRIES} tries", self.server).into())
    }

    /// The refresh token is stored before anything is done with the access token.
    fn accept(&self, tokens: Tokens) -> Result<String, Error> {
        if let Some(next) = &tokens.refresh_token {
            write(&self.file, next)?;
            eprintln!("the refresh token was replaced");
        }
        Ok(tokens.access_token)
    }

    /// Held until it is dropped, by one process at a time. It waits as long as another process refreshes. A program
    /// with other work to do meanwhile takes it in `spawn_blocking`.
    fn lock(&self) -> io::Result<File> {
        let lock = File::create(self.file.with_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }
}

fn retry_after(answer: &reqwest::Response) -> Duration {
    let value = answer.headers().get(header::RETRY_AFTER);
    let seconds = value.and_then(|value| value.to_str().ok()?.parse().ok());
    // The lock is held meanwhile, so no server may make the other processes wait for more than half a minute.
    seconds.map_or(A_MOMENT, |seconds: u64| {
        Duration::from_secs(seconds.min(30))
    })
}

fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(token) => Ok(Some(token)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the file in one step. After a crash there is the old token or the new one, never half of one.
fn write(file: &Path, token: &str) -> io::Result<()> {
    let new = file.with_extension("new");
    // A file that a crash has left behind may have any mode. The one below is for files that are created.
    let _ = fs::remove_file(&new);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(&new)?;
    opened.write_all(token.as_bytes())?;
    opened.sync_all()?;
    fs::rename(&new, file)
}
