//! A feature that is off: rustc names it, and the command that switches it on.

use std::{env, fs, path::Path, process::Command};

/// A package of its own, because the features of this workspace add up.
const MANIFEST: &str = r#"
[package]
name = "stranger"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
tower-bearer = { path = "REPOSITORY" }

# As in the workspace, so that what is built there is found.
[profile.dev]
debug = "line-tables-only"
"#;

const PROGRAM: &str = "
use tower_bearer::{Auth, auth::AuthBuilder};

pub fn routes(auth: Auth) {
    auth.routes();
}

pub fn pages_elsewhere(auth: AuthBuilder) {
    auth.cors();
}
";

#[test]
fn a_missing_feature_is_named_with_the_command_that_adds_it() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let repository = repository.canonicalize().unwrap();
    let stranger = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(stranger.path().join(name), text).unwrap();
    let path = repository.to_str().expect("a path in UTF-8");
    write("Cargo.toml", &MANIFEST.replace("REPOSITORY", path));
    fs::create_dir(stranger.path().join("src")).unwrap();
    write("src/lib.rs", PROGRAM);
    fs::copy(
        repository.join("Cargo.lock"),
        stranger.path().join("Cargo.lock"),
    )
    .unwrap();

    let mut cargo = Command::new(env!("CARGO"));
    // Cargo tells a test about its package by these.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    // The test is target/debug/deps/walks-..., and what is built there serves here.
    let test = env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let checked = cargo
        .args(["check", "--offline", "--color", "never", "--target-dir"])
        .arg(target)
        .current_dir(&stranger)
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(!checked.status.success(), "both features are off: {said}");
    for words in [
        "`Auth::routes` needs the feature `axum` of tower-bearer",
        "`cargo add tower-bearer --features axum` switches it on",
        "`AuthBuilder::cors` needs the feature `cors` of tower-bearer",
        "`cargo add tower-bearer --features cors` switches it on",
    ] {
        assert!(said.contains(words), "rustc does not say {words}:\n{said}");
    }
    let errors = said.matches("\nerror[").count();
    assert_eq!(errors, 2, "there is another error beside the two:\n{said}");
}
