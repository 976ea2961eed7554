//! The example as its own process.

use std::{
    process::Stdio,
    sync::{Arc, LazyLock, Mutex},
};

use tokio::process::{Child, Command};

use super::PATIENCE;
use crate::program::{self, lines};

static DEMO: LazyLock<String> = LazyLock::new(|| program::built("demo"));
static LIVE: LazyLock<String> = LazyLock::new(|| program::built("live"));
static OAUTH_REDIRECT: LazyLock<String> = LazyLock::new(|| program::built("oauth_redirect"));
static RENDERED: LazyLock<String> = LazyLock::new(|| program::built("rendered"));

/// A running example, which ends with this value.
pub(crate) struct Example {
    /// Where it tells the user to go.
    pub(crate) url: String,
    log: Arc<Mutex<Vec<String>>>,
    _process: Child,
}

impl Example {
    /// Starts `demo` on a free port, with settings as the environment has them.
    pub(crate) async fn demo(settings: &[(&str, &str)]) -> Self {
        Self::start(&DEMO, settings).await
    }

    /// Starts `live` on a free port, with tokens of so many seconds.
    pub(crate) async fn live(lifetime: &str) -> Self {
        Self::start(&LIVE, &[("ACCESS_TTL", lifetime)]).await
    }

    /// Starts `oauth_redirect` with its provider, on free ports.
    pub(crate) async fn oauth_redirect() -> Self {
        Self::start(&OAUTH_REDIRECT, &[("PROVIDER_ADDR", "127.0.0.1:0")]).await
    }

    /// Starts `rendered` on a free port, with cookies that Safari keeps over plain http.
    pub(crate) async fn rendered() -> Self {
        Self::start(&RENDERED, &[("INSECURE_COOKIE", "1")]).await
    }

    async fn start(program: &'static LazyLock<String>, settings: &[(&str, &str)]) -> Self {
        let program = tokio::task::spawn_blocking(|| &**program).await.unwrap();
        let mut command = Command::new(program);
        for name in [
            "ACCESS_SECRET",
            "REFRESH_SECRET",
            "ENCRYPTION_KEY",
            "TOWER_BEARER_KEYS",
            "REDIS_URL",
        ] {
            command.env_remove(name);
        }
        let mut process = command
            .env("ADDR", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the example that was just built starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut out = lines(process.stdout.take().unwrap());
        let mut err = lines(process.stderr.take().unwrap());
        let kept = log.clone();
        tokio::spawn(async move {
            while let Some(line) = err.recv().await {
                kept.lock().unwrap().push(line);
            }
        });
        let url = async {
            while let Some(line) = out.recv().await {
                if let Some(rest) = line.strip_prefix("Open ") {
                    return rest.split(' ').next().unwrap().to_owned();
                }
            }
            panic!("the example ended: {:?}", log.lock().unwrap());
        };
        let url = tokio::time::timeout(PATIENCE, url)
            .await
            .expect("the example says where it listens");
        Self {
            url,
            log,
            _process: process,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        let (_, port) = self.url.rsplit_once(':').unwrap();
        port.parse().unwrap()
    }

    /// Returns the lines of its log.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}
