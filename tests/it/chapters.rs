//! The links to chapters of the manual, in the pages that readers find first.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const ADDRESS: &str = "https://docs.rs/tower-bearer/latest/tower_bearer/manual/";

/// Every page outside of `src` that links to a chapter.
const PAGES: [&str; 4] = [
    "README.md",
    "client/README.md",
    "examples/README.md",
    "stores/sqlx/README.md",
];

/// Pages that name chapters as Rust does, such as `manual::sessions`.
const OTHERS: [&str; 4] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "DESIGN.md",
    "SECURITY.md",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The modules of the manual, by its own list. Each has a file.
fn chapters() -> BTreeSet<String> {
    let list = read("src/manual/mod.rs");
    let lines = list.lines();
    let names = lines.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let chapters: BTreeSet<_> = names.map(str::to_owned).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual");
    let files = fs::read_dir(folder).unwrap().map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.trim_end_matches(".rs").to_owned()
    });
    let files: BTreeSet<_> = files.filter(|name| name != "mod").collect();
    assert_eq!(chapters, files, "src/manual/mod.rs and its files");
    chapters
}

/// The chapters that a text links to. An address must end with `/`, with or without an anchor behind it.
fn linked(text: &str) -> BTreeSet<String> {
    let links = text.split(ADDRESS).skip(1).map(|rest| {
        let end = rest.find(|c: char| c != '_' && !c.is_ascii_lowercase());
        let (name, rest) = rest.split_at(end.unwrap());
        assert!(rest.starts_with('/'), "no `/` behind `{name}`");
        name.to_owned()
    });
    links.collect()
}

#[test]
fn the_readme_links_to_each_chapter() {
    assert_eq!(linked(&read("README.md")), chapters());
}

#[test]
fn each_link_names_a_chapter() {
    let chapters = chapters();
    for page in PAGES {
        let links = linked(&read(page));
        let missing: Vec<_> = links.difference(&chapters).collect();
        assert!(missing.is_empty(), "{page} links to {missing:?}");
    }
}

/// The last part of a rustdoc heading's address.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

/// The anchors of a chapter's headings.
fn anchors(chapter: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let text = read(&format!("src/manual/{chapter}.rs"));
    let headings = text.lines().filter_map(|line| {
        let line = line.strip_prefix("//! ")?;
        in_code ^= line.starts_with("```");
        let heading = line.strip_prefix("# ").or(line.strip_prefix("## "))?;
        (!in_code).then(|| anchor(heading))
    });
    headings.collect()
}

/// The files of a folder and of the folders in it.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|end| end == "rs" || end == "md")
        {
            found.push(path);
        }
    }
}

/// rustdoc checks the item that a link names, and not the heading behind `#`.
#[test]
fn each_link_to_a_heading_of_a_chapter_names_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<_> = PAGES
        .iter()
        .chain(&OTHERS)
        .map(|page| root.join(page))
        .collect();
    for folder in ["src", "stores/sqlx/src"] {
        files(&root.join(folder), &mut texts);
    }
    let chapters = chapters();
    let mut found = 0;
    let mut missing = Vec::new();
    for path in texts {
        let text = fs::read_to_string(&path).unwrap();
        let in_manual = path.starts_with(root.join("src/manual"));
        for chapter in &chapters {
            let mut ways = vec![format!("manual::{chapter}#"), format!("manual/{chapter}/#")];
            if in_manual {
                ways.push(format!("super::{chapter}#"));
            }
            let known = anchors(chapter);
            for rest in ways.iter().flat_map(|way| text.split(way.as_str()).skip(1)) {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
                let end = end.unwrap_or(rest.len());
                found += 1;
                if !known.contains(&rest[..end]) {
                    missing.push(format!("{}: {chapter}#{}", path.display(), &rest[..end]));
                }
            }
        }
    }
    assert!(found > 40, "only {found} links found");
    assert!(missing.is_empty(), "{missing:#?}");
}
