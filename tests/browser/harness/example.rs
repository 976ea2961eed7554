//! The example as its own process.

use std::{
    process::Stdio,
    sync::{Arc, LazyLock, Mutex},
};

use tokio::process::{Child, Command};

use super::PATIENCE;
use crate::program::{self, lines};

static PROGRAM: LazyLock<String> = LazyLock::new(|| program::built("demo"));

/// A running `demo`, which ends with this value.
pub(crate) struct Example {
    pub(crate) port: u16,
    log: Arc<Mutex<Vec<String>>>,
    _process: Child,
}

impl Example {
    /// Starts it on a free port, with settings as the environment has them.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let program = tokio::task::spawn_blocking(|| &*PROGRAM).await.unwrap();
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
        let port = async {
            while let Some(line) = out.recv().await {
                if let Some(url) = line.strip_prefix("Open http://127.0.0.1:") {
                    return url.split(' ').next().unwrap().parse().unwrap();
                }
            }
            panic!("the example ended: {:?}", log.lock().unwrap());
        };
        let port = tokio::time::timeout(PATIENCE, port)
            .await
            .expect("the example says where it listens");
        Self {
            port,
            log,
            _process: process,
        }
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}
