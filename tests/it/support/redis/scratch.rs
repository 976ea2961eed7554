//! Temporary folders, and what cleans up when the test process cannot.

use std::{
    fs::{self, DirBuilder},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Runs beside the test process and reads from it what it started. The end of that input is the end of the test
/// process, whatever the cause. Processes that still run are killed and the folder removed. Signals from a terminal
/// reach this shell too, and too early.
const WARDEN: &str = r#"
trap '' HUP INT QUIT TERM
running=' '
while read -r event pid; do
  case $event in
    started) running="$running$pid " ;;
    ended) running="${running%% $pid *} ${running#* $pid }" ;;
  esac
done
for pid in $running; do kill -KILL "$pid"; done
rm -rf -- "$1"
"#;

/// Of this process: its folder and its warden.
static ROOT: LazyLock<(PathBuf, Mutex<Child>)> = LazyLock::new(|| {
    let root = create(&std::env::temp_dir(), "tower-bearer-redis");
    let warden = Command::new("sh")
        .args(["-c", WARDEN, "warden"])
        .arg(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("there is a shell");
    (root, Mutex::new(warden))
});

/// A temporary folder, removed when dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        Self(create(&ROOT.0, name))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and returns where it lies.
    pub(super) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, contents).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The warden tries again.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// From now on the warden kills this process of ours if we cannot.
pub(super) fn started(pid: u32) {
    tell("started", pid);
}

/// The process is about to be reaped, after which its number may be another's.
pub(super) fn ended(pid: u32) {
    tell("ended", pid);
}

fn tell(event: &str, pid: u32) {
    let mut warden = ROOT.1.lock().unwrap();
    let input = warden.stdin.as_mut().unwrap();
    writeln!(input, "{event} {pid}").expect("the warden lives as long as we do");
}

/// A new folder that no other user can read: servers' keys lie there.
fn create(parent: &Path, name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{name}-{}-{count}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return path,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}
