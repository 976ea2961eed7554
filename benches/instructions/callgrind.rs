//! Callgrind, asked for the counts of one function only.

use std::{
    env, fs,
    hint::black_box,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::Command,
};

/// As Callgrind matches names: those of [`counted`] and nothing else's.
const FUNCTION: &str = "*::callgrind::counted";

/// Does `work`. Callgrind's count begins and ends here.
///
/// The result is looked at, or the call could become a jump that Callgrind does not see return.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut() -> bool) -> bool {
    black_box(work())
}

/// Whether Valgrind is there, and which.
pub fn version() -> Option<String> {
    let output = Command::new("valgrind").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The instructions of each call of [`counted`] that this very program makes with `args`, in turn.
pub fn counts(args: &[String]) -> io::Result<Vec<u64>> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("callgrind");
    // The output of an earlier run must not be taken for this one's.
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(&folder)?,
    }
    let file = folder.join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={FUNCTION}"))
        .arg(format!("--dump-after={FUNCTION}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(env::current_exe()?)
        .args(args)
        .output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(text));
    }
    // One file a call, numbered from 1.
    (1..)
        .map(|n| file.with_extension(n.to_string()))
        .take_while(|part| part.exists())
        .map(|part| total(&part))
        .collect()
}

/// The sum in one of Callgrind's files.
fn total(file: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = line.and_then(|total| total.trim().parse().ok());
    total.ok_or_else(|| io::Error::other(format!("{} has no total", file.display())))
}
