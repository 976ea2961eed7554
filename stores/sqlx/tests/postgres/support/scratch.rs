//! Temporary folders, and an end for what outlives the test process.

use std::{
    fs::{self, DirBuilder},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Runs beside the test process and reads from it the servers that it started. The end of that input is the end of the
/// test process, whatever the cause. Servers that still run are told to end at once, and the folder goes. Signals from
/// a terminal reach this shell too, and too early.
const WARDEN: &str = r#"
trap '' HUP INT QUIT TERM
running=' '
while read -r event pid; do
  case $event in
    started) running="$running$pid " ;;
    ended) running="${running%% $pid *} ${running#* $pid }" ;;
  esac
done
for pid in $running; do kill -CONT "$pid"; kill -QUIT "$pid"; done
for pid in $running; do
  n=0
  while kill -0 "$pid" && [ "$n" -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
done
rm -rf -- "$1"
"#;

/// Of this process: its folder and its warden.
static ROOT: LazyLock<(PathBuf, Mutex<Child>)> = LazyLock::new(|| {
    let root = create(&std::env::temp_dir(), "tower-bearer-postgres");
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

/// The account that servers run under, where the tests run as root: PostgreSQL and pgbouncer refuse that.
static ACCOUNT: LazyLock<Option<&str>> = LazyLock::new(|| {
    let me = fs::metadata("/proc/self").expect("/proc is there").uid();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let is_known = |name: &&str| {
        users
            .lines()
            .any(|line| line.starts_with(&format!("{name}:")))
    };
    let found = ["postgres", "daemon"].into_iter().find(is_known);
    (me == 0).then(|| found.expect("root lends servers an account: postgres or daemon"))
});

/// A temporary folder of the servers' account, removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = create(&ROOT.0, name);
        give(&path);
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The warden tries again.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A command under the account of servers.
pub(crate) fn unprivileged(program: impl AsRef<Path>) -> Command {
    match *ACCOUNT {
        None => Command::new(program.as_ref()),
        Some(account) => {
            let mut command = Command::new("setpriv");
            command
                .args([
                    "--reuid",
                    account,
                    "--regid",
                    account,
                    "--clear-groups",
                    "--",
                ])
                .arg(program.as_ref());
            command
        }
    }
}

/// Makes it the servers' own.
fn give(path: &Path) {
    if let Some(account) = *ACCOUNT {
        let status = Command::new("chown").arg(account).arg(path).status();
        assert!(status.expect("there is chown").success());
    }
}

/// From now on the warden ends this process of ours if we cannot.
pub(super) fn started(pid: u32) {
    tell("started", pid);
}

/// The process has been reaped, and its number may be another's.
pub(super) fn ended(pid: u32) {
    tell("ended", pid);
}

fn tell(event: &str, pid: u32) {
    let mut warden = ROOT.1.lock().unwrap();
    let input = warden.stdin.as_mut().unwrap();
    writeln!(input, "{event} {pid}").expect("the warden lives as long as we do");
}

fn create(parent: &Path, name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{name}-{}-{count}", std::process::id()));
        match DirBuilder::new().mode(0o755).create(&path) {
            Ok(()) => {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
                return path;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}
