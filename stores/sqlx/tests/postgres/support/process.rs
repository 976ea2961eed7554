//! Programs of PostgreSQL, and the processes of a server.

use std::{
    env, fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use super::scratch;

#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    pub(super) fn spawn(command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        scratch::started(child.id());
        Self(child)
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// It and its children. Each of them has a session of its own, so no group has them all.
    fn all(&self) -> Vec<String> {
        let id = self.0.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        let children = children.split_whitespace().map(str::to_owned);
        std::iter::once(id.to_string()).chain(children).collect()
    }

    pub(super) fn signal_all(&self, signal: &str) {
        self.signal(signal, &self.all());
    }

    fn signal(&self, signal: &str, ids: &[String]) {
        // One that has just ended is no failure.
        let kill = Command::new("kill")
            .arg(format!("-{signal}"))
            .args(ids)
            .output();
        kill.expect("there is kill");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First it is stopped, so that it starts no more children and reaps none.
        self.signal("STOP", &[self.0.id().to_string()]);
        let all = self.all();
        self.signal("KILL", &all);
        let _ = self.0.wait();
        scratch::ended(self.0.id());
        // A backend holds the shared memory until it is gone, and a new server waits for that.
        for id in &all[1..] {
            while fs::exists(format!("/proc/{id}")).unwrap_or(false) && !is_zombie(id) {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

fn is_zombie(id: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    state.is_empty() || state.contains(") Z ")
}

/// Where a program of PostgreSQL lies: Debian keeps them out of the way.
pub(super) fn program(name: &str) -> PathBuf {
    let named = env::var_os("TOWER_BEARER_POSTGRES").map(PathBuf::from);
    let told = || {
        let output = Command::new("pg_config").arg("--bindir").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(text.trim()))
    };
    let versions = || {
        let folders = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten();
        folders
            .map(|version| version.path().join("bin"))
            .collect::<Vec<_>>()
    };
    let folders = match named {
        Some(folder) => vec![folder],
        None => told().into_iter().chain(versions()).collect(),
    };
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!(
            "there is no {name} in {folders:?}: these tests need PostgreSQL's server \
             (apt-get install postgresql-15; ./scripts/test does)"
        )
    })
}

/// Runs it to its end.
pub(super) fn succeed(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    output
}
