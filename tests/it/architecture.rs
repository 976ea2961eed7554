//! The invariants of the source tree that a machine can check. The reasons stand in the manual,
//! chapter `architecture`.
//!
//! The checks read text, not syntax trees: they lean on the layout that `rustfmt` gives every file.
//! Each check is tried on a bad snippet below, so that it is known to be able to fail.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Which level each top-level module of the crate belongs to. A new module must be put here.
const LEVELS: &[(&str, u8)] = &[
    // Leaves: import nothing of ours.
    ("background", 0),
    ("clock", 0),
    ("config", 0),
    ("cookie", 0),
    ("credentials", 0),
    ("host", 0),
    ("random", 0),
    ("secret", 0),
    // The domain: imports leaves and other parts of the domain, never a layer.
    ("binding", 1),
    ("event", 1),
    ("guard", 1),
    ("jwks", 1),
    ("keys", 1),
    ("observe", 1),
    ("rejection", 1),
    ("session", 1),
    ("store", 1),
    ("token", 1),
    // The layers: import leaves and the domain, never another layer.
    ("bearer", 2),
    ("csrf", 2),
    ("grpc", 2),
    ("headers", 2),
    ("origin", 2),
    ("refresh", 2),
    // What only puts the rest together.
    ("axum", 3),
    ("lib", 3),
    ("manual", 3),
];

/// Longer than this, a file holds two ideas.
const LONGEST_FILE: usize = 400;

/// One file under `src`, as the checks see it.
struct Source {
    /// Relative to `src`, with forward slashes.
    path: String,
    text: String,
    /// Compiled for tests only: `#[cfg(test)] mod name;` stands in front of it somewhere.
    is_test: bool,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            is_test: path.ends_with("/tests.rs"),
        }
    }

    /// The top-level module the file belongs to.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines that users get, comments included, test modules not. Lines keep their numbers.
    fn shipped(&self) -> Vec<(usize, &str)> {
        let mut out = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            if self.is_test {
                break;
            } else if line.trim() == "#[cfg(test)]" {
                skip_item(&mut lines);
            } else {
                out.push((number + 1, line));
            }
        }
        out
    }

    /// The shipped lines that hold code.
    fn code(&self) -> Vec<(usize, String)> {
        self.shipped()
            .into_iter()
            .map(|(number, line)| (number, strip_comment(line).to_owned()))
            .filter(|(_, code)| !code.trim().is_empty())
            .collect()
    }

    /// Where the modules lie that this file declares for tests only: paths without `.rs`.
    fn test_modules(&self) -> Vec<String> {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let folder = match stem.strip_suffix("mod").or(stem.strip_suffix("lib")) {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => folder.to_owned(),
            _ => format!("{stem}/"),
        };
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        lines
            .windows(2)
            .filter(|pair| pair[0] == "#[cfg(test)]")
            .filter_map(|pair| pair[1].strip_suffix(';')?.split("mod ").nth(1))
            .map(|name| format!("{folder}{name}"))
            .collect()
    }
}

/// Passes over the item after an attribute: further attributes, then up to the `;` or to the brace
/// that closes at the item's own indentation.
fn skip_item<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) {
    let mut close = None;
    for (_, line) in lines {
        let text = line.trim();
        if let Some(close) = &close {
            if text.starts_with('}') && line.starts_with(close) {
                return;
            }
            continue;
        }
        if text.starts_with("#[") {
            continue;
        }
        if text.ends_with(';') || text.ends_with('}') {
            return;
        }
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        close = Some(format!("{indent}}}"));
    }
}

fn strip_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    // A comment behind code follows a blank; `https://` in a string does not.
    line.find(" // ").map_or(line, |at| &line[..at])
}

/// Whether `text` has `word`, and not as a part of a longer identifier.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let open_end = !word.ends_with(part);
    text.match_indices(word).any(|(at, _)| {
        let after = text[at + word.len()..].chars().next();
        !text[..at].chars().next_back().is_some_and(part) && (open_end || !after.is_some_and(part))
    })
}

fn level(module: &str) -> Option<u8> {
    LEVELS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, level)| *level)
}

/// The modules of ours that a file names, with the line. `use` trees are flattened far enough to
/// see the first segment behind `crate::`.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let code = source.code();
    let mut found = Vec::new();
    let mut index = 0;
    while let Some((number, line)) = code.get(index) {
        // A `use` tree may run over several lines; join it up to its semicolon.
        let mut text = line.trim().to_owned();
        if text.starts_with("use ") || text.starts_with("pub use ") {
            while !text.ends_with(';') {
                index += 1;
                let Some((_, more)) = code.get(index) else {
                    break;
                };
                text.push_str(more.trim());
            }
        }
        for (at, _) in text.match_indices("crate::") {
            // `$crate` and `some_crate` are not this crate's root.
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            for name in first_segments(&text[at + "crate::".len()..]) {
                found.push((*number, name));
            }
        }
        index += 1;
    }
    found
}

/// `token::{A, B}` gives `token`; `{clock::Clock, token::{A, B}}` gives `clock` and `token`.
fn first_segments(path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let (mut out, mut depth, mut start) = (Vec::new(), 1, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                out.push(word(group[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(word(group[start..at].trim()));
            break;
        }
    }
    out.retain(|name| !name.is_empty());
    out
}

fn check_levels(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some(own) = level(module) else {
        return vec![format!(
            "{}: module `{module}` has no level in the table",
            source.path
        )];
    };
    imports(source)
        .into_iter()
        .filter(|(_, name)| name != module)
        .filter_map(|(line, name)| {
            let problem = match level(&name) {
                None => "is no module of ours; name the module, not the re-export".to_owned(),
                Some(_) if own == 0 => "but a leaf imports nothing of ours".to_owned(),
                Some(2) if own == 2 => "but a layer never imports another layer".to_owned(),
                Some(other) if other > own => {
                    format!("of level {other}, above its own level {own}")
                }
                Some(_) => return None,
            };
            Some(format!(
                "{}:{line}: imports `crate::{name}`, {problem}",
                source.path
            ))
        })
        .collect()
}

/// Lines of `source` that hold one of `needles`, unless the file is one of the `homes`.
fn check_named(source: &Source, needles: &[&str], homes: impl Fn(&str) -> bool) -> Vec<String> {
    if homes(&source.path) {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (line, code) in source.code() {
        for needle in needles {
            if has_word(&code, needle) {
                out.push(format!(
                    "{}:{line}: `{needle}` has no place here",
                    source.path
                ));
            }
        }
    }
    out
}

fn check_clock(source: &Source) -> Vec<String> {
    let needles = ["SystemTime", "Instant", "UNIX_EPOCH"];
    check_named(source, &needles, |path| path == "clock.rs")
}

fn check_josekit(source: &Source) -> Vec<String> {
    let mut out = check_named(source, &["josekit::", "use josekit"], |path| {
        path.strip_prefix("keys/jose")
            .is_some_and(|rest| rest.ends_with(".rs"))
    });
    out.extend(check_named(source, &["openssl::", "use openssl"], |_| {
        false
    }));
    out
}

fn check_redis(source: &Source) -> Vec<String> {
    let source = Source::new(&source.path, &without_own_redis(&source.text));
    check_named(&source, &["redis::", "use redis"], |path| {
        path.starts_with("store/redis")
    })
}

/// `self::redis` is our module, and not the crate that it is built on.
fn without_own_redis(text: &str) -> String {
    text.replace("self::redis::", "self::own::")
}

fn check_unsafe(source: &Source) -> Vec<String> {
    // The keyword, not the values of response headers that begin with the same word.
    let mut out = check_named(source, &["unsafe ", "unsafe("], |_| false);
    if source.path == "lib.rs" && !source.text.contains("#![forbid(unsafe_code)]") {
        out.push("lib.rs: `#![forbid(unsafe_code)]` is gone".to_owned());
    }
    out
}

/// What ends a process instead of a request. `debug_assert!` and `assert!` in constants stay.
fn check_panics(source: &Source) -> Vec<String> {
    const WAYS: &[&str] = &[
        ".unwrap()",
        ".unwrap_err()",
        ".expect(",
        ".expect_err(",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
    ];
    // The conformance suite is a test: it reports by panicking, in the user's own test run.
    if source.path.starts_with("store/conformance") {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (line, code) in source.code() {
        // A parser may have a method of that name; no `Option` or `Result` is called `self` here.
        let code = code.replace("self.expect(", "");
        for way in WAYS {
            if code.contains(way) {
                out.push(format!("{}:{line}: `{way}` can panic", source.path));
            }
        }
    }
    out
}

fn check_length(source: &Source) -> Vec<String> {
    let lines = source.shipped().len();
    if lines > LONGEST_FILE {
        vec![format!(
            "{}: {lines} lines; above {LONGEST_FILE} it wants to be two files",
            source.path
        )]
    } else {
        Vec::new()
    }
}

/// The crates whose types must stay inside.
const BACKENDS: [&str; 7] = [
    "josekit",
    "openssl",
    "pkcs8",
    "quick_cache",
    "ring",
    "redis",
    "sec1",
];

/// Names that a file brings in from those crates.
fn foreign_names(source: &Source) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = BACKENDS.map(str::to_owned).into();
    let code = source.code();
    let mut lines = code.iter().map(|(_, line)| line.trim());
    while let Some(line) = lines.next() {
        let mut text = line.to_owned();
        let foreign = BACKENDS
            .iter()
            .any(|name| text.starts_with(&format!("use {name}::")));
        if !foreign {
            continue;
        }
        while !text.ends_with(';') {
            let Some(more) = lines.next() else { break };
            text.push_str(more);
        }
        let leaves = text.split([',', '{', '}', ';']).map(str::trim);
        for leaf in leaves {
            let last = leaf.rsplit("::").next().unwrap_or_default();
            let name = last.rsplit(" as ").next().unwrap_or_default().trim();
            if !name.is_empty() && name != "self" && name != "_" {
                names.insert(name.to_owned());
            }
        }
        // `use ring::hmac::{self, Key}` brings in `hmac` as well.
        if text.contains("self")
            && let Some((path, _)) = text.split_once("::{")
            && let Some(name) = path.rsplit("::").next()
        {
            names.insert(name.trim_start_matches("use ").to_owned());
        }
    }
    names
}

/// Signatures that users see: public functions, aliases, re-exports, public fields.
fn check_public_types(source: &Source) -> Vec<String> {
    let names = foreign_names(source);
    let code = source.code();
    let mut out = Vec::new();
    let mut lines = code.iter();
    while let Some((number, line)) = lines.next() {
        let mut text = without_own_redis(line.trim());
        if !text.starts_with("pub ") {
            continue;
        }
        let function = text.contains("fn ");
        while function && !text.ends_with('{') && !text.ends_with(';') {
            let Some((_, more)) = lines.next() else { break };
            text.push(' ');
            text.push_str(more.trim());
        }
        // A method may be *named* after its purpose; types stand behind a colon, an arrow, a `<`.
        let types = if function {
            text.find('(').map_or("", |at| &text[at..])
        } else {
            text.trim_start_matches("pub mod ")
        };
        // The one place where a connection of the application's comes in.
        let is_entrance = source.path == "store/redis/builder.rs"
            && text.contains("fn with_connection(")
            && !text.contains("redis::");
        for name in &names {
            if is_entrance && name == "ConnectionLike" {
                continue;
            }
            let path = format!("{name}::");
            let named = match name.as_str() {
                // The crates' names are fine as ordinary words, say for a parameter.
                backend if BACKENDS.contains(&backend) => types.contains(&path),
                _ => has_word(types, name),
            };
            if named {
                out.push(format!(
                    "{}:{number}: a public item names `{name}`: {text}",
                    source.path
                ));
            }
        }
    }
    out
}

fn sources() -> Vec<Source> {
    fn walk(root: &Path, dir: &Path, out: &mut Vec<Source>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(root, &path, out);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                let text = fs::read_to_string(&path).unwrap();
                out.push(Source::new(&name.replace('\\', "/"), &text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    walk(&root, &root, &mut out);
    assert!(out.len() > 20, "only {} files found", out.len());
    let tests: Vec<String> = out.iter().flat_map(Source::test_modules).collect();
    for source in &mut out {
        source.is_test |= tests.iter().any(|module| {
            source.path == format!("{module}.rs") || source.path.starts_with(&format!("{module}/"))
        });
    }
    out
}

fn assert_all(check: impl Fn(&Source) -> Vec<String>) {
    let findings: Vec<String> = sources().iter().flat_map(check).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn modules_import_downwards_only() {
    assert_all(check_levels);
}

#[test]
fn the_system_clock_is_read_in_one_file() {
    assert_all(check_clock);
}

#[test]
fn josekit_is_named_behind_its_fence_only() {
    assert_all(check_josekit);
}

#[test]
fn redis_is_named_in_its_store_only() {
    assert_all(check_redis);
}

#[test]
fn there_is_no_unsafe_code() {
    assert_all(check_unsafe);
}

#[test]
fn nothing_that_ships_panics_on_purpose() {
    assert_all(check_panics);
}

#[test]
fn files_stay_short() {
    assert_all(check_length);
}

#[test]
fn public_signatures_name_no_backend() {
    assert_all(check_public_types);
}

/// The checks themselves: each on a snippet that breaks its rule and on one that does not.
mod checks {
    use super::*;

    fn refused(check: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) {
        let found = check(&Source::new(path, text));
        assert!(!found.is_empty(), "{path} passed:\n{text}");
    }

    fn passed(check: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) {
        let found = check(&Source::new(path, text));
        assert!(found.is_empty(), "{path}: {found:?}\n{text}");
    }

    #[test]
    fn levels() {
        refused(
            check_levels,
            "clock.rs",
            "use crate::config::ConfigError;\n",
        );
        refused(
            check_levels,
            "token/mod.rs",
            "use crate::bearer::BearerAuth;\n",
        );
        refused(
            check_levels,
            "bearer/mod.rs",
            "use crate::refresh::Session;\n",
        );
        refused(check_levels, "bearer/mod.rs", "use crate::axum::Json;\n");
        refused(check_levels, "stray.rs", "");
        refused(check_levels, "bearer/mod.rs", "use crate::TokenCodec;\n");
        refused(
            check_levels,
            "refresh/mod.rs",
            "use crate::{\n    clock::Clock,\n    token::{A, B},\n    origin::OriginGuard,\n};\n",
        );
        refused(
            check_levels,
            "store/mod.rs",
            "fn f(session: crate::refresh::Session) {}\n",
        );
        passed(
            check_levels,
            "refresh/mod.rs",
            "//! See [`crate::origin`].\nuse crate::{clock::Clock, token::{A, B}};\n",
        );
        passed(
            check_levels,
            "token/jws.rs",
            "use crate::token::jwe::Open;\n",
        );
        passed(
            check_levels,
            "clock.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::token::A;\n}\n",
        );
        passed(
            check_levels,
            "store/m.rs",
            "m! { $other_crate::bearer::X }\n",
        );
    }

    #[test]
    fn clock() {
        refused(
            check_clock,
            "token/codec.rs",
            "let now = SystemTime::now();\n",
        );
        refused(check_clock, "store/memory.rs", "use std::time::Instant;\n");
        passed(check_clock, "clock.rs", "let now = SystemTime::now();\n");
        passed(
            check_clock,
            "token/codec.rs",
            "// Never `SystemTime::now`.\n",
        );
        passed(check_clock, "token/codec.rs", "struct Instantaneous;\n");
    }

    #[test]
    fn josekit() {
        refused(check_josekit, "token/jwe.rs", "use josekit::jwe;\n");
        refused(
            check_josekit,
            "keys/pem.rs",
            "let k = josekit::jwk::Jwk::new();\n",
        );
        refused(check_josekit, "keys/jose.rs", "use openssl::rsa::Rsa;\n");
        passed(check_josekit, "keys/jose.rs", "use josekit::jwk::Jwk;\n");
        passed(
            check_josekit,
            "keys/jose_wrap.rs",
            "use josekit::jwk::Jwk;\n",
        );
        passed(
            check_josekit,
            "keys/mod.rs",
            "#[cfg(feature = \"josekit\")]\nmod jose;\n",
        );
    }

    #[test]
    fn redis() {
        refused(check_redis, "store/mod.rs", "use redis::Client;\n");
        passed(check_redis, "store/redis.rs", "use redis::Client;\n");
        passed(check_redis, "store/redis/swap.rs", "use redis::Script;\n");
    }

    #[test]
    fn unsafe_code() {
        refused(check_unsafe, "token/mod.rs", "    unsafe { f() }\n");
        refused(check_unsafe, "token/mod.rs", "pub unsafe fn f() {\n");
        refused(check_unsafe, "token/mod.rs", "#[unsafe(no_mangle)]\n");
        passed(
            check_unsafe,
            "headers/mod.rs",
            "let a = \"unsafe-inline\";\n",
        );
        refused(check_unsafe, "lib.rs", "//! A crate.\n");
        passed(check_unsafe, "lib.rs", "#![forbid(unsafe_code)]\n");
    }

    #[test]
    fn panics() {
        for line in [
            "a.unwrap();",
            "a.expect(\"b\");",
            "panic!(\"a\");",
            "todo!()",
            "unreachable!(\"a\")",
        ] {
            refused(check_panics, "token/mod.rs", line);
        }
        passed(check_panics, "token/mod.rs", "a.unwrap_or_default();\n");
        passed(check_panics, "token/tests.rs", "a.unwrap();\n");
        passed(check_panics, "token/json.rs", "self.expect(b':')?;\n");
        passed(
            check_panics,
            "token/mod.rs",
            "#[cfg(test)]\n#[allow(dead_code)]\nfn helper() {\n    a.unwrap();\n}\nfn f() {}\n",
        );
        // What follows a test module is shipped, and is looked at again.
        refused(
            check_panics,
            "token/mod.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() {\n    }\n}\nfn g() {\n    a.unwrap();\n}\n",
        );
        refused(
            check_panics,
            "token/mod.rs",
            "#[cfg(test)]\nmod tests;\nfn g() {\n    a.unwrap();\n}\n",
        );
    }

    #[test]
    fn test_modules() {
        let declared = "#[cfg(test)]\nmod proof;\n\nmod decide;\n#[cfg(test)]\nuse a::b;\n";
        for (path, module) in [
            ("session/mod.rs", "session/proof"),
            ("session/decide.rs", "session/decide/proof"),
            ("lib.rs", "proof"),
            ("mod.rs", "proof"),
        ] {
            assert_eq!(Source::new(path, declared).test_modules(), [module]);
        }
    }

    #[test]
    fn length() {
        refused(check_length, "a.rs", &"\n".repeat(LONGEST_FILE + 1));
        passed(check_length, "a.rs", &"\n".repeat(LONGEST_FILE));
        let tests = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}\n",
            "\n".repeat(LONGEST_FILE)
        );
        passed(check_length, "a.rs", &tests);
    }

    #[test]
    fn public_types() {
        let hmac = "use ring::{digest, hmac};\n";
        refused(
            check_public_types,
            "keys/mod.rs",
            &format!("{hmac}pub fn key(\n    &self,\n) -> &hmac::Key {{\n"),
        );
        refused(
            check_public_types,
            "keys/mod.rs",
            "use ring::hmac::{self, Key};\npub fn key(&self) -> hmac::Tag {\n",
        );
        refused(
            check_public_types,
            "keys/jose.rs",
            "use josekit::jwk::Jwk as Inner;\npub fn jwk(key: &Inner) {\n",
        );
        refused(
            check_public_types,
            "keys/jose.rs",
            "pub struct A {\n    pub jwk: josekit::jwk::Jwk,\n}\n",
        );
        refused(check_public_types, "lib.rs", "pub use ring::hmac;\n");
        let connection = "use redis::aio::ConnectionLike;\n";
        let entrance = "pub fn with_connection(\n    c: impl ConnectionLike,\n) -> Builder {\n";
        passed(
            check_public_types,
            "store/redis/builder.rs",
            &format!("{connection}{entrance}"),
        );
        refused(
            check_public_types,
            "store/redis/link.rs",
            &format!("{connection}{entrance}"),
        );
        refused(
            check_public_types,
            "store/redis/builder.rs",
            &format!("{connection}pub fn connection(&self) -> impl ConnectionLike {{\n"),
        );
        passed(
            check_public_types,
            "keys/mod.rs",
            &format!("{hmac}pub(crate) fn key(&self) -> &hmac::Key {{\n"),
        );
        passed(
            check_public_types,
            "keys/mod.rs",
            &format!("{hmac}pub fn digest(&self) -> &str {{\n    hmac::sign(k, m)\n"),
        );
    }
}
