//! The tables of `tests/data/cases/issuers.json`: sets of well-known issuers, and one good key beside one
//! odd key.

use serde::Deserialize;
use serde_json::Value;

use super::{Case, Question};

#[derive(Deserialize)]
struct Tables {
    neighbours: Vec<Row>,
    shapes: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    jwks: Value,
    token: String,
    #[serde(default = "of_neighbours_issuer")]
    issuer: String,
    #[serde(default = "of_neighbours_audience")]
    audience: String,
}

fn of_neighbours_issuer() -> String {
    "i".to_owned()
}

fn of_neighbours_audience() -> String {
    "a".to_owned()
}

/// The good key is usable in every set.
pub(super) fn cases() -> Vec<Case> {
    let tables = include_str!("../../data/cases/issuers.json");
    let tables: Tables = serde_json::from_str(tables).unwrap();
    assert_eq!((tables.neighbours.len(), tables.shapes.len()), (26, 11));
    let rows = tables.neighbours.into_iter().chain(tables.shapes);
    rows.map(|row| Case {
        name: row.name,
        set: row.jwks.to_string(),
        questions: vec![Question {
            what: "its token".to_owned(),
            token: row.token,
            issuer: row.issuer,
            audience: row.audience,
            accepted: true,
        }],
    })
    .collect()
}
