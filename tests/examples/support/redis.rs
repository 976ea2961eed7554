//! A Redis of the test's own.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Port, Program};

/// A server that writes down every command, so that it can be killed and go on with its data.
#[derive(Debug)]
pub(crate) struct Redis {
    port: Port,
    data: TempDir,
    server: Option<Program>,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let version = Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        assert!(
            version.is_ok(),
            "redis-server is not installed: `apt-get install redis-server`, or scripts/test, which installs it"
        );
        let mut redis = Self {
            port: Port::reserve(),
            data: tempfile::tempdir().unwrap(),
            server: None,
        };
        redis.start_again(&[]).await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port.number())
    }

    pub(crate) fn kill(&mut self) {
        self.server.take().expect("it runs").kill();
    }

    /// Starts it where it was, with settings of its own.
    pub(crate) async fn start_again(&mut self, settings: &[&str]) {
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--save", ""])
            // Its data outlives its process. Waiting for a disk that a build keeps busy would only make it slow.
            .args(["--appendonly", "yes", "--appendfsync", "no"])
            .args(["--port", &self.port.number().to_string(), "--dir"])
            .arg(self.data.path())
            .args(settings);
        let ready = "Ready to accept connections";
        self.server = Some(Program::start(&mut command, ready).await);
    }
}
