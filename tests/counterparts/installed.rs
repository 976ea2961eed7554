//! The packages that `scripts/install-counterparts` has installed.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// A program for Node.js, which finds the pinned packages.
pub(crate) fn node(program: &str) -> Command {
    let modules = folder("node");
    let mut command = Command::new("node");
    // Names of packages are looked up from the working directory.
    command
        .current_dir(modules)
        .args(["--input-type=module", "--eval", program]);
    command
}

/// The same for Python.
pub(crate) fn python(program: &str) -> Command {
    let mut command = Command::new(folder("python").join("bin/python"));
    command.args(["-I", "-c", program]);
    command
}

/// Where the packages are, in the versions that the test wants.
fn folder(language: &str) -> PathBuf {
    let wanted = match language {
        "node" => include_str!("node/package-lock.json"),
        _ => include_str!("python/requirements.txt"),
    };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("counterparts").join(language);
    // The installer writes this file last.
    let found = std::fs::read_to_string(folder.join("installed"));
    assert!(
        found.is_ok_and(|found| found == wanted),
        "the packages for {language} are not installed, or in other versions: scripts/install-counterparts does it"
    );
    folder
}
