//! Where the programs of the examples are.

use std::{
    collections::HashMap,
    env,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// The arguments by which cargo builds all programs, with the features that the walks ask for.
const BUILD: [&str; 5] = [
    "build",
    "--workspace",
    "--bins",
    "--features",
    "demo/redis,demo/sqlite,keygen/josekit",
];

/// The command that runs an example, with nothing in its environment and nothing to read.
///
/// The program is in the folder that `TOWER_BEARER_PROGRAMS` names, where all have been built at once. Otherwise it is
/// built here.
pub(crate) fn example(name: &str) -> Command {
    let path = match env::var_os("TOWER_BEARER_PROGRAMS") {
        Some(folder) => PathBuf::from(folder).join(format!("{name}{}", env::consts::EXE_SUFFIX)),
        None => built().get(name).cloned().unwrap_or_default(),
    };
    assert!(path.is_file(), "there is no program `{name}`: {path:?}");
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::null());
    command
}

/// The path of every program by its name. Cargo builds them when the first test asks.
fn built() -> &'static HashMap<String, PathBuf> {
    static BUILT: OnceLock<Result<HashMap<String, PathBuf>, String>> = OnceLock::new();
    match BUILT.get_or_init(build) {
        Ok(programs) => programs,
        Err(why) => panic!("the examples do not build:\n{why}"),
    }
}

fn build() -> Result<HashMap<String, PathBuf>, String> {
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo tells a test about its package by these. Build scripts ask for them, and would run again and
    // again if the two builds had different ones.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let output = cargo
        .args(BUILD)
        .args(["--message-format", "json-render-diagnostics"])
        .args(["--manifest-path", manifest])
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().flat_map(serde_json::from_str::<Value>);
    // Cargo says where it has put them: that depends on settings and on the platform.
    let programs = messages.filter_map(|message| {
        let name = message["target"]["name"].as_str()?;
        Some((name.to_owned(), message["executable"].as_str()?.into()))
    });
    Ok(programs.collect())
}
