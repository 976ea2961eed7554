//! The README shows this program, word for word.

#[test]
fn shows_this_program() {
    let readme = include_str!("../../../README.md");
    let program = concat!(
        "\n```rust,no_run\n",
        include_str!("../src/main.rs"),
        "```\n"
    );
    assert!(
        readme.contains(program),
        "README.md has another program than examples/axum/src/main.rs"
    );
}
