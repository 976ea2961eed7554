//! The README shows this program, word for word.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, path::Path};

const README: &str = include_str!("../../../README.md");

#[test]
fn shows_this_program() {
    let program = concat!(
        "\n```rust,no_run\n",
        include_str!("../src/main.rs"),
        "```\n"
    );
    assert!(
        README.contains(program),
        "README.md has another program than examples/axum/src/main.rs"
    );
}

/// The first screen of the README tells all of them to the reader, and no other.
#[test]
fn names_the_dependencies_of_this_program() {
    let added = README.lines().filter_map(|line| {
        let line = line.strip_prefix("cargo add ")?;
        line.split_whitespace().next()
    });
    let manifest = include_str!("../Cargo.toml");
    let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
    let lines = dependencies.lines().take_while(|line| !line.is_empty());
    let needed = lines.filter_map(|line| line.split(['.', ' ']).next());
    assert_eq!(
        added.collect::<BTreeSet<_>>(),
        needed.collect::<BTreeSet<_>>()
    );
}

/// The names that the program in `folder` imports from the crate.
fn imported(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let uses = texts.flat_map(|text| {
        let uses = text.split("use tower_bearer::").skip(1);
        let uses = uses.filter_map(|rest| rest.split_once(';'));
        uses.map(|(path, _)| path.to_owned()).collect::<Vec<_>>()
    });
    let words = uses.flat_map(|path| {
        let words = path.split(|c: char| !c.is_alphanumeric());
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    // Modules are no types.
    words
        .filter(|word| word.starts_with(char::is_uppercase))
        .collect()
}

#[test]
fn few_names_are_enough() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (example, most) in [("axum", 7), ("demo", 18)] {
        let names = imported(&examples.join(example).join("src"));
        assert!(names.contains("KeyRing"), "{example}: {names:?}");
        assert!(names.len() <= most, "{example}: {names:?}");
    }
}
