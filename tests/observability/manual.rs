//! The tables of the manual's chapter, as sets of names.

use std::collections::{BTreeMap, BTreeSet};

const CHAPTER: &str = include_str!("../../src/manual/observability.rs");
const NAMES: &str = include_str!("../../src/event/name.rs");

/// The rows of the table under the heading, each a list of cells.
pub(crate) fn table(heading: &str) -> Vec<Vec<String>> {
    let from = CHAPTER
        .split_once(&format!("//! # {heading}\n"))
        .unwrap_or_else(|| panic!("the chapter has no part {heading}"))
        .1;
    let part = from.split("//! # ").next().unwrap();
    part.lines()
        .filter_map(|line| line.strip_prefix("//! | "))
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
