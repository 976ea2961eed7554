//! The structure of the source tree, as far as no lint checks it. That is which module imports which, which crates stay
//! inside, and how long a file is. The reasons stand in `DESIGN.md`.
//!
//! The checks read text, not syntax trees: they lean on the layout that `rustfmt` gives every file.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Import nothing of ours.
const LEAVES: &[&str] = &[
    "authorization",
    "caching",
    "clock",
    "config",
    "cookie",
    "fixed_id",
    "future",
    "header_owner",
    "host",
    "problem",
    "random",
    "request",
    "secret",
];
/// Import leaves, and of each other those that stand before them.
const DOMAIN: &[&str] = &[
    "telemetry",
    "keys",
    "session",
    "token",
    "store/error",
    "jwks/error",
    "resource",
    "rejection",
    "event",
    "answer",
    "jwks",
    "store",
    "csrf_session",
    "current_session",
];
/// Import leaves and the domain, never each other.
const LAYERS: &[&str] = &[
    "bearer", "csrf", "grpc", "headers", "origin", "refresh", "refusal",
];
/// Put the rest together.
const TOP: &[&str] = &[
    "admin",
    "endpoints",
    "axum",
    "auth",
    "lib",
    "manual",
    "test_util",
];

/// The crates whose types stay inside, and the folders that may name them where there is one.
const BACKENDS: &[(&str, &str)] = &[
    ("josekit", "keys/jose"),
    ("openssl", "nowhere"),
    ("pkcs8", "keys/key_file"),
    ("quick_cache", ""),
    ("redis", "store/redis"),
    ("ring", ""),
    ("sec1", "keys/key_file"),
    ("tower_http", "auth/cors"),
];

/// Longer than this, a file holds two ideas.
const LONGEST_FILE: usize = 400;

/// A file under `src` without its tests and its comments, whatever its lines were, in one line.
struct Source {
    /// Relative to `src`, with forward slashes.
    path: String,
    code: String,
    lines: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let shipped = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let code = shipped
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        // `self::redis` and `store::redis` are our module, and not the crate that it is built on.
        let code: Vec<_> = code.collect();
        Self {
            path: path.to_owned(),
            code: code
                .join(" ")
                .replace("self::redis", "self::own")
                .replace("store::redis", "store::own"),
            lines: shipped.lines().count(),
        }
    }

    /// The module the file belongs to: of the lists above, or on top of the crate.
    fn module(&self) -> &str {
        let path = self.path.trim_end_matches(".rs");
        let listed = DOMAIN.iter().find(|name| **name == path);
        listed.map_or(path.split('/').next().unwrap_or_default(), |name| name)
    }

    /// The modules of ours that it names.
    fn imports(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (at, _) in self.code.match_indices("crate::") {
            // `$crate` and `some_crate` are not this crate's root.
            if self.code[..at].ends_with(|c: char| c == '$' || is_part(c)) {
                continue;
            }
            let rest = &self.code[at + "crate::".len()..];
            let mut depth = 0;
            let mut start = 0;
            for (at, c) in rest.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 1 && matches!(c, '{' | ',') {
                    start = at + 1;
                }
                let path = rest[start..].trim_start();
                let name = path.split(|c| !is_part(c)).next().unwrap_or_default();
                let file = path[name.len()..].strip_prefix("::").unwrap_or_default();
                let file = file.split(|c| !is_part(c)).next().unwrap_or_default();
                let file = format!("{name}/{file}");
                if DOMAIN.contains(&file.as_str()) {
                    found.insert(file);
                } else if !name.is_empty() {
                    found.insert(name.to_owned());
                }
                if depth == 0 {
                    break;
                }
            }
        }
        let own = |name: &str| name.split('/').next() == self.module().split('/').next();
        found.retain(|name| !own(name));
        found
    }

    /// Names that it brings in from backends.
    fn foreign_names(&self) -> BTreeSet<&str> {
        let uses = self.code.split("use ").skip(1);
        let uses = uses.filter_map(|rest| rest.split_once(';').map(|(path, _)| path));
        uses.filter(|path| {
            BACKENDS
                .iter()
                .any(|(name, _)| path.starts_with(&format!("{name}::")))
        })
        .flat_map(|path| path.split(|c| !is_part(c)))
        .chain(BACKENDS.iter().map(|(name, _)| *name))
        .filter(|name| !["", "as", "self", "_"].contains(name))
        .collect()
    }

    /// The public interface: functions from their parameters on, fields, aliases, re-exports.
    fn signatures(&self) -> Vec<&str> {
        let public = self.code.split("pub ").skip(1);
        public
            .map(|rest| {
                let function = rest
                    .split('(')
                    .next()
                    .is_some_and(|head| head.contains("fn "));
                let (begin, ends): (_, &[char]) = if function {
                    (rest.find('(').unwrap_or_default(), &['{', ';'])
                } else if rest.starts_with("type ") {
                    (0, &[';'])
                } else {
                    (0, &['{', '}', ';', ',', '='])
                };
                let end = rest[begin..].find(ends);
                &rest[begin..end.map_or(rest.len(), |at| begin + at)]
            })
            .collect()
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `text` names `name`: a type as a word, a module in front of `::`.
fn names(text: &str, name: &str) -> bool {
    let module = !name.starts_with(char::is_uppercase);
    text.match_indices(name).any(|(at, _)| {
        let after = &text[at + name.len()..];
        !text[..at].ends_with(is_part)
            && if module {
                after.starts_with("::")
            } else {
                !after.starts_with(is_part)
            }
    })
}

fn is_downward(from: &str, to: &str) -> bool {
    let level = |name: &str| {
        [LEAVES, DOMAIN, LAYERS, TOP]
            .iter()
            .position(|all| all.contains(&name))
    };
    let place = |name: &str| DOMAIN.iter().position(|other| *other == name);
    let (from_level, to_level) = (level(from), level(to));
    assert!(
        from_level.is_some(),
        "module `{from}` has no level: put it into a list above"
    );
    assert!(
        to_level.is_some(),
        "{from}: `crate::{to}` is no module: name that, not the re-export"
    );
    to_level < from_level
        || TOP.contains(&from)
        || (to_level == from_level && place(to) < place(from))
}

fn sources() -> Vec<Source> {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                out.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let files: Vec<_> = paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            (name.replace('\\', "/"), fs::read_to_string(path).unwrap())
        })
        .collect();
    // `#[cfg(test)] mod name;` makes a test of a whole file, and of the folder beside it.
    let tests: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| {
            let stem = path.trim_end_matches(".rs");
            let folder = stem.strip_suffix("/mod").unwrap_or(stem).to_owned();
            text.split("#[cfg(test)]\n")
                .skip(1)
                .filter_map(move |rest| {
                    let (name, _) = rest.lines().next()?.split_once("mod ")?.1.split_once(';')?;
                    Some(format!("{folder}/{name}"))
                })
        })
        .collect();
    let is_test = |path: &str| {
        tests
            .iter()
            .any(|test| path == format!("{test}.rs") || path.starts_with(&format!("{test}/")))
    };
    let shipped = files.iter().filter(|(path, _)| !is_test(path));
    let out: Vec<_> = shipped
        .map(|(path, text)| Source::new(path, text))
        .collect();
    assert!(out.len() > 20, "only {} files found", out.len());
    out
}

#[test]
fn modules_import_downwards_only() {
    for source in sources() {
        for name in source.imports() {
            assert!(
                is_downward(source.module(), &name),
                "{}: `crate::{name}` stands higher",
                source.path
            );
        }
    }
}

#[test]
fn backends_stay_inside() {
    for source in sources() {
        for (name, home) in BACKENDS {
            let named = names(&source.code, name) && !source.path.starts_with(home);
            assert!(!named, "{}: `{name}` has no place here", source.path);
        }
        let foreign = source.foreign_names();
        for signature in source.signatures() {
            // The one place where a connection of the application's comes in.
            let signature = signature.replace("impl redis::aio::ConnectionLike", "");
            let found = foreign.iter().find(|name| names(&signature, name));
            assert_eq!(
                found, None,
                "{}: a public item names it: {signature}",
                source.path
            );
        }
    }
}

#[test]
fn files_stay_short() {
    for Source { path, lines, .. } in sources() {
        assert!(
            lines <= LONGEST_FILE,
            "{path}: {lines} lines want to be two files"
        );
    }
}

/// A walk through files that are not there leads nowhere.
#[test]
fn design_names_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("DESIGN.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let paths: Vec<_> = quoted
        .filter(|path| {
            ["src/", "tests/", "scripts/"]
                .iter()
                .any(|top| path.starts_with(top))
        })
        .collect();
    assert!(paths.len() > 40, "only {} paths found", paths.len());
    for path in paths {
        assert!(root.join(path).exists(), "DESIGN.md names `{path}`");
    }
}

/// The part says what was searched: each row of its tables has a number in every cell behind the first.
#[test]
fn the_design_has_the_figures_of_the_rotation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("DESIGN.md");
    let text = fs::read_to_string(path).unwrap();
    assert!(!text.contains("FIGURES"));
    let (_, part) = text.split_once("\n### How sure the rotation is\n").unwrap();
    let part = part.split("\n#").next().unwrap();
    let mut rows = 0;
    for table in part.split("\n\n") {
        let lines = table.lines().filter_map(|line| line.strip_prefix("| "));
        // The first is the heading, and the rule below it begins with `|-`.
        for line in lines.skip(1) {
            let mut cells = line.trim_end_matches('|').split('|').skip(1);
            let filled = cells.all(|cell| cell.contains(|c: char| c.is_ascii_digit()));
            assert!(filled, "{line}");
            rows += 1;
        }
    }
    assert!(rows > 45, "only {rows} rows found");
}

/// The reading itself, on snippets.
#[test]
fn a_broken_rule_is_seen() {
    let text = "//! crate::a\nuse crate::{\n    b::{C, D},\n    e,\n};\nfn f(g: crate::h::I) {}\n\
                m! { $crate::j }\n#[cfg(test)]\nmod tests {\n    use crate::k;\n}\n";
    let imports = Source::new("x/y.rs", text).imports();
    assert_eq!(imports.iter().collect::<Vec<_>>(), ["b", "e", "h"]);
    assert!(is_downward("token", "keys") && is_downward("bearer", "token"));
    for (from, to) in [
        ("clock", "config"),
        ("keys", "token"),
        ("bearer", "refresh"),
        ("token", "bearer"),
    ] {
        assert!(!is_downward(from, to), "{from} {to}");
    }
    for (text, seen) in [
        (
            "use ring::{digest, hmac};\npub fn key(\n    &self,\n) -> &hmac::Key {\n",
            true,
        ),
        (
            "use josekit::jwk::Jwk as Inner;\npub fn jwk(key: &Inner) {\n",
            true,
        ),
        ("pub struct A {\n    pub jwk: josekit::jwk::Jwk,\n}\n", true),
        ("pub use ring::hmac;\n", true),
        (
            "use ring::hmac;\npub(crate) fn key(&self) -> &hmac::Key {\n",
            false,
        ),
        (
            "use ring::hmac;\npub fn hmac(&self) -> &str {\n    hmac::sign(k, m)\n",
            false,
        ),
    ] {
        let source = Source::new("keys/mod.rs", text);
        let foreign = source.foreign_names();
        let signatures = source.signatures();
        let found = signatures
            .iter()
            .any(|text| foreign.iter().any(|name| names(text, name)));
        assert_eq!(found, seen, "{text}");
    }
}
