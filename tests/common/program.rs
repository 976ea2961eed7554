//! Examples as programs of their own.

use std::{env, process::Command};

use serde_json::Value;

/// Builds the example, and asks cargo where it has put it: `cargo test --test NAME` builds no examples,
/// and where they go depends on settings and on the platform.
pub(crate) fn built(example: &str) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo tells a test about its package by these. Build scripts ask for them, and would run again and
    // again if the two builds had different ones.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    let built = cargo
        .args(["build", "--example", example, "--message-format", "json"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .expect("cargo starts");
    let text = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "the example does not build: {text}");
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == example)
        .find_map(|message| Some(message["executable"].as_str()?.to_owned()))
        .expect("cargo names the program it has built")
}
