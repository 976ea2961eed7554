//! The tables of the documentation, as sets of names.

use std::collections::{BTreeMap, BTreeSet};

/// The parts of the chapter, of the documentation of `Event` and of that of `describe_metrics`.
const DOCUMENTATION: [&str; 3] = [
    include_str!("../../src/manual/operations.rs"),
    include_str!("../../src/event/lines.md"),
    include_str!("../../src/telemetry/metrics/metrics.md"),
];
const NAMES: &str = include_str!("../../src/event/name.rs");

/// The parts of a text: the heading and the lines under it.
fn parts(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut parts = vec![("", Vec::new())];
    for line in text.lines() {
        let line = line.strip_prefix("//! ").unwrap_or(line);
        if let Some(heading) = line.strip_prefix("# ") {
            parts.push((heading, Vec::new()));
        } else if let Some((_, lines)) = parts.last_mut() {
            lines.push(line);
        }
    }
    parts
}

/// The rows of the table under the heading, each a list of cells.
pub(crate) fn table(heading: &str) -> Vec<Vec<String>> {
    let mut parts = DOCUMENTATION.iter().flat_map(|text| parts(text));
    let part = parts
        .find(|(name, _)| *name == heading)
        .unwrap_or_else(|| panic!("the documentation has no part {heading}"))
        .1;
    part.iter()
        .filter_map(|line| line.strip_prefix("| "))
        .skip(1)
        .map(|line| {
            let cells = line.trim_end_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// The names in backquotes of one cell.
pub(crate) fn quoted(cell: &str) -> BTreeSet<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// First cell to the names in another cell.
pub(crate) fn names(heading: &str, column: usize) -> BTreeMap<String, BTreeSet<String>> {
    let rows = table(heading).into_iter();
    rows.map(|row| {
        let name = quoted(&row[0]).into_iter().next().unwrap();
        (name, quoted(row.get(column).map_or("", |cell| cell)))
    })
    .collect()
}

#[test]
fn every_event_has_its_row() {
    let written: BTreeSet<String> = names("Lines", 2).into_keys().collect();
    let source = NAMES.lines().filter_map(|line| line.split_once("=> \""));
    let named: BTreeSet<String> = source
        .map(|(_, rest)| rest.trim_end_matches("\",").to_owned())
        .collect();
    assert!(named.len() >= 23, "{named:?}");
    assert_eq!(written, named);
}
