//! One process of `redis-server`.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::ErrorKind,
    path::Path,
    process::{Child, Command, Stdio},
};

use super::scratch;

/// Names another binary than the one on the path: another version, or Valkey's.
pub(super) const BINARY: &str = "TOWER_BEARER_REDIS_SERVER";

/// Its output lies here, in its folder.
const LOG: &str = "server.log";

/// Killed and reaped when dropped: no server of ours outlives its test.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts it in `folder`, where its log grows from run to run.
    pub(super) fn spawn(folder: &Path, args: &[OsString], env: &[(OsString, OsString)]) -> Self {
        let binary = std::env::var_os(BINARY).unwrap_or_else(|| "redis-server".into());
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join(LOG))
            .unwrap();
        let child = Command::new(&binary)
            .args(args)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        match child {
            Ok(child) => {
                scratch::started(child.id());
                Self(child)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => panic!(
                "{} is not installed, and these tests run real servers: `apt-get install \
                 redis-server`, or `./scripts/test`, which installs it",
                binary.display()
            ),
            Err(error) => panic!("{}: {error}", binary.display()),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Sends a signal. The shell's own `kill` is there where no package brings one.
    pub(super) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.unwrap().success(), "{command}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Before it is reaped, because then its number is free for others.
        scratch::ended(self.id());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The end of the log, for the message of a test that fails.
pub(super) fn log_tail(folder: &Path) -> String {
    let log = fs::read(folder.join(LOG)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// The arguments that `redis-server` and the compiler take are paths and text in one list.
pub(super) fn args<S: AsRef<OsStr>>(args: &[S]) -> Vec<OsString> {
    args.iter().map(|arg| arg.as_ref().to_owned()).collect()
}
