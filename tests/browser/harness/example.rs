//! The example as its own process.

use std::{
    env,
    process::{Command as BlockingCommand, Stdio},
    sync::{Arc, Mutex, OnceLock},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

use super::PATIENCE;

/// A running `axum_spa`, which ends with this value.
pub(crate) struct Example {
    pub(crate) port: u16,
    log: Arc<Mutex<Vec<String>>>,
    _process: Child,
}

impl Example {
    /// Starts it on a free port, with settings as the environment has them.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let program = tokio::task::spawn_blocking(program).await.unwrap();
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

fn lines(stream: impl AsyncRead + Send + Unpin + 'static) -> mpsc::UnboundedReceiver<String> {
    let (send, receive) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        // Read to the end even when nobody listens any more: a full pipe would stop the process.
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = send.send(line);
        }
    });
    receive
}

/// Builds the example, once, and asks cargo where it has put it: `cargo test --test browser` builds no
/// examples, and where they go depends on settings and on the platform.
fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut cargo = BlockingCommand::new(env!("CARGO"));
        // What cargo tells a test about its package. Build scripts ask for it, and would run again and
        // again if the two builds told them different things.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&*name);
            }
        }
        let built = cargo
            .args(["build", "--example", "axum_spa", "--message-format", "json"])
            .args([
                "--manifest-path",
                concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            ])
            .output()
            .expect("cargo starts");
        let text = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "the example does not build: {text}");
        String::from_utf8_lossy(&built.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == "axum_spa")
            .find_map(|message| Some(message["executable"].as_str()?.to_owned()))
            .expect("cargo names the program it has built")
    })
}
