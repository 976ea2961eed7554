//! Examples and others as programs of their own.

use std::{env, path::Path, process::Command};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::mpsc,
};

/// The program of an example. It is in the folder that `TOWER_BEARER_PROGRAMS` names, where all of them have been built
/// at once, or built here.
pub(crate) fn built(example: &str) -> String {
    if let Some(folder) = env::var_os("TOWER_BEARER_PROGRAMS") {
        let program = Path::new(&folder).join(format!("{example}{}", env::consts::EXE_SUFFIX));
        assert!(program.is_file(), "there is no {}", program.display());
        return program.to_str().expect("a path in UTF-8").to_owned();
    }
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo tells a test about its package by these. Build scripts ask for them, and would run again and
    // again if the two builds had different ones.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    // By the name of the program, since that of its package may be another one.
    let built = cargo
        .args(["build", "--workspace", "--bin", example])
        .args(["--message-format", "json", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
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

/// The lines of a program's output, as they come.
pub(crate) fn lines(
    stream: impl AsyncRead + Send + Unpin + 'static,
) -> mpsc::UnboundedReceiver<String> {
    let (send, receive) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        // To the end, even when the test does not listen any more: a full pipe would stop the program.
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = send.send(line);
        }
    });
    receive
}
