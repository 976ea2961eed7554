//! Programs of others, as processes that end with the test.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

use crate::program::lines;

/// How long a program may take to start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running program, which ends with this value.
pub(crate) struct Process {
    child: Child,
    out: mpsc::UnboundedReceiver<String>,
    err: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = lines(child.stdout.take().unwrap());
        let mut complaints = lines(child.stderr.take().unwrap());
        let err = Arc::new(Mutex::new(Vec::new()));
        let kept = err.clone();
        tokio::spawn(async move {
            while let Some(line) = complaints.recv().await {
                kept.lock().unwrap().push(line);
            }
        });
        Ok(Self { child, out, err })
    }

    /// The rest of the next line of its output that begins like this.
    pub(crate) async fn says(&mut self, beginning: &str) -> String {
        let wait = async {
            while let Some(line) = self.out.recv().await {
                if let Some(rest) = line.strip_prefix(beginning) {
                    return rest.to_owned();
                }
            }
            panic!("the program ended: {:?}", self.err());
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("no `{beginning}`: {:?}", self.err()))
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its complaints so far.
    pub(crate) fn err(&self) -> Vec<String> {
        self.err.lock().unwrap().clone()
    }
}

/// The output of a program that reads `input` and ends well.
pub(crate) async fn run(mut command: Command, input: String) -> String {
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // A program that ends early is told by its status.
    let written = tokio::spawn(async move {
        let _ = stdin.write_all(input.as_bytes()).await;
    });
    let output = process.wait_with_output().await.unwrap();
    written.await.unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A folder that goes with this value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        // Short, because the path of a socket may have no more than about 100 bytes.
        let name = format!("tower-bearer-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
