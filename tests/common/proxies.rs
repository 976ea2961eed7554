//! Real proxies, as programs of the test's own.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The command that runs nginx with the `nginx.conf` of this folder, and keeps what it writes there.
pub(crate) fn nginx(folder: &Path) -> Command {
    let mut command = Command::new(installed("nginx"));
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        // One process, which runs as the test does and ends when it is ended.
        .args(["-e", "stderr", "-g", "master_process off;"]);
    command
}

/// The path of a proxy's program. Debian has them where the paths of ordinary users do not look.
pub(crate) fn installed(name: &str) -> PathBuf {
    let paths = env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| {
            panic!("{name} is not installed: `apt install {name}`, or scripts/install-counterparts")
        })
}
