//! The decision table for other implementations: every kind of question that comes up in some worlds, with its
//! answer. It is kept in the repository and compared; `TOWER_BEARER_WRITE_VECTORS=1` writes it anew.

use std::{env, fs, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    bounds::{Bounds, Budget, NOTHING, honest},
    predicates::{Expected, Predicates, Table},
    questions::put,
    rule::{OTHER, Visitor},
    search::questions,
};
use crate::session::{outcome::Row, policy::RotationPolicy, presenter::JarProof};

/// The file.
#[derive(Serialize, Deserialize)]
struct File {
    about: Vec<String>,
    rows: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    predicates: Predicates,
    #[serde(flatten)]
    expected: Expected,
}

const ABOUT: &[&str] = &[
    "One row for each kind of question to the decision; the default policy (G 30 s, M 60 s).",
    "token: where the presented token stands: current, previous, older, burned (of the current generation and \
     not the current token), lost_rotation, lost_change and lost_recovery (one write ahead of the record, by its \
     own words), ahead (of the record otherwise).",
    "session: live, alarmed (ended by row 13 or 3a), signed_out (ended by one of its clients), revoked (by none).",
    "jar: whether the request shows the right jar cookie: shown, missing, none (tokens travel in bodies).",
    "is: the predicates that hold; those that the rule does not come to are left out. Of the session: bound (to \
     its jar), rotated (before), changed (the current token stands behind a change of privilege). Of the current \
     token: fresh (handed out less than M ago), note_due (handed out at least G/8 ago), seen (presented), window \
     (handed out or first presented at most G ago), new (current for at most G), used_up (no recoveries left). Of \
     the fingerprint of the request: known, met, holder (the current token was handed to it). Of the holder: \
     holder_known. Of the end: late (more than G ago), ender (by the client that asks). Of the request: active (it has no header that says passive), \
     idle_due (active, and it would move the idle end by at least M).",
    "row, outcome: of the manual's table. confirm: the successor goes out and no access token. cookie: a \
     successor goes out. write: nothing, note (times, and what is known of the clients), token (another current \
     one), end. idle: the write begins the idle lifetime anew. known, holder_known: of the fingerprint of the request and of the holder, after a note or a token \
     is written.",
];

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rotation/decisions.json")
}

/// Worlds in which every row comes up.
fn worlds() -> Vec<Bounds> {
    let of = |budget| Bounds { budget, ..honest() };
    let shots = |thefts, requests| Budget {
        thefts,
        requests,
        ..NOTHING
    };
    let thief = |agent, jar| Visitor {
        jar,
        ..Visitor::browser(agent)
    };
    let two = Bounds {
        agents: 2,
        ..honest()
    };
    // On a grid of `G/4`, each refresh active or passive.
    let unused = Bounds {
        unit: Duration::from_millis(7_500),
        delay: 2,
        idle: Some(14),
        ..two.clone()
    };
    let lossy = |left: &mut Budget| {
        left.requests = 3;
        left.losses = 1;
    };
    vec![
        two.clone().with(lossy),
        two.clone().with(|left| {
            left.requests = 3;
            left.failovers = 1;
        }),
        two.clone().with(|left| {
            left.requests = 3;
            left.step_ups = 1;
        }),
        two.clone().with(|left| {
            left.requests = 3;
            left.sign_outs = 1;
        }),
        Bounds {
            rotation: RotationPolicy {
                recoveries: 1,
                ..RotationPolicy::default()
            },
            ..two.clone()
        }
        .with(|left| {
            left.requests = 3;
            left.losses = 2;
        }),
        Bounds {
            jar: JarProof::Waived,
            bound: false,
            ..two.clone()
        }
        .with(|left| left.requests = 3),
        Bounds {
            bound: false,
            ..two.clone()
        }
        .with(lossy),
        Bounds {
            thief: thief(OTHER, JarProof::Shown),
            thief_signs_out: true,
            ..of(shots(3, 3))
        },
        Bounds {
            thief: thief(OTHER, JarProof::Missing),
            bound: false,
            thief_signs_out: true,
            ..of(shots(2, 3))
        },
        Bounds {
            thief: thief(0, JarProof::Missing),
            ..of(shots(2, 2))
        },
        unused.clone().with(lossy),
        unused.with(|left| {
            left.requests = 3;
            left.failovers = 1;
        }),
        of(Budget {
            failovers: 1,
            step_ups: 1,
            ..shots(2, 2)
        }),
    ]
}

fn searched() -> Table {
    let mut table = Table::new();
    for bounds in worlds() {
        questions(&bounds, |question, decision| {
            // No predicate tells of row 1.
            if decision.row == Row::Expired {
                return;
            }
            let expected = Expected::of(question, decision);
            let predicates = Predicates::of(question);
            let told = table.entry(predicates.clone()).or_insert(expected.clone());
            assert_eq!(*told, expected, "the rule reads more than {predicates:?}");
        });
    }
    table
}

fn kept() -> Table {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let file: File = serde_json::from_str(&text).unwrap();
    let rows = file.rows.into_iter();
    rows.map(|row| (row.predicates, row.expected)).collect()
}

fn write(table: &Table) {
    let mut text = String::from("{\n\"about\": ");
    text += &serde_json::to_string_pretty(ABOUT).unwrap();
    text += ",\n\"rows\": [";
    for (number, (predicates, expected)) in table.iter().enumerate() {
        let line = Line {
            predicates: predicates.clone(),
            expected: expected.clone(),
        };
        text += if number == 0 { "\n" } else { ",\n" };
        text += &serde_json::to_string(&line).unwrap();
    }
    text += "\n]\n}\n";
    fs::write(path(), text).unwrap();
}

#[test]
fn the_table_is_what_the_search_has_seen() {
    let searched = searched();
    println!("{} rows", searched.len());
    if env::var_os("TOWER_BEARER_WRITE_VECTORS").is_some() {
        write(&searched);
    }
    let kept = kept();
    for (predicates, expected) in &searched {
        assert_eq!(kept.get(predicates), Some(expected), "{predicates:?}");
    }
    assert_eq!(kept.len(), searched.len(), "rows that no search has seen");
}

#[test]
fn each_row_of_the_table_is_answered_as_it_says() {
    let kept = kept();
    let rows: std::collections::BTreeSet<_> =
        kept.values().map(|expected| &*expected.row).collect();
    let all = "10 10b 10c 11 12 13 13a 3 3a 3b 5 6 6b 7 7b 8 9";
    assert_eq!(rows.into_iter().collect::<Vec<_>>().join(" "), all);
    for (predicates, expected) in kept {
        assert_eq!(put(&predicates), expected, "{predicates:?}");
    }
}
