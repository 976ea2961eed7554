//! JWK Sets of foreign issuers, judged side by side: by this crate, by `jose` for Node.js and by PyJWT.
//!
//! The verdict that the rule wants stands with each set. Where a library differs from it,
//! `sets/differences.json` has the reason. The test fails at a difference that is not listed, and at one that is
//! listed and gone.

mod cases;
mod keys;
mod libraries;
mod odd;
mod ours;
mod tables;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde::Deserialize;

use self::libraries::Library;

/// A set as an issuer publishes it, and tokens that are asked about with it.
struct Case {
    name: String,
    set: String,
    questions: Vec<Question>,
}

/// Is this token to be accepted?
struct Question {
    what: String,
    token: String,
    issuer: String,
    audience: String,
    accepted: bool,
}

/// The answer to a question, and why not.
type Verdict = Result<(), String>;

/// A reason, and the questions to which a library answers otherwise than we do. Each has the name of the set, and the
/// token.
#[derive(Deserialize)]
struct Difference {
    library: Library,
    accepted: bool,
    reason: String,
    questions: Vec<(String, String)>,
}

fn all_cases() -> Vec<Case> {
    let cases: Vec<Case> = [tables::cases(), cases::cases(), odd::cases()]
        .into_iter()
        .flatten()
        .collect();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two sets have one name");
    cases
}

/// The differences of one library: the name of the set and that of the token, and what it says.
fn listed(library: Library) -> BTreeMap<(String, String), bool> {
    let all: Vec<Difference> = serde_json::from_str(include_str!("sets/differences.json")).unwrap();
    assert!(all.iter().all(|difference| !difference.reason.is_empty()));
    let of_library = all.into_iter().filter(|one| one.library == library);
    of_library
        .flat_map(
            |Difference {
                 accepted,
                 questions,
                 ..
             }| {
                questions
                    .into_iter()
                    .map(move |question| (question, accepted))
            },
        )
        .collect()
}

/// Fails unless the library says what the rule says, but for the differences that are listed.
async fn differs_as_listed(library: Library) {
    let cases = all_cases();
    let verdicts = library.judge(&cases).await;
    let mut listed = listed(library);
    let mut wrong = String::new();
    let questions = cases
        .iter()
        .flat_map(|case| case.questions.iter().map(move |question| (case, question)));
    for ((case, question), said) in questions.zip(&verdicts) {
        let name = (case.name.clone(), question.what.clone());
        let difference = listed.remove(&name);
        assert_ne!(
            difference,
            Some(question.accepted),
            "no difference: {name:?}"
        );
        if said.is_ok() != difference.unwrap_or(question.accepted) {
            let list = difference.map_or("not listed", |_| "listed and gone");
            let _ = writeln!(wrong, "{name:?} {list}: {said:?}");
        }
    }
    assert!(verdicts.len() > 100, "{} questions", verdicts.len());
    assert!(wrong.is_empty(), "differences:\n{wrong}");
    assert!(listed.is_empty(), "no such question: {:?}", listed.keys());
}

/// One odd key never decides for the others, and a key whose private half is published is refused.
#[tokio::test]
async fn this_crate() {
    differs_as_listed(Library::TowerBearer).await;
}

#[tokio::test]
async fn jose() {
    differs_as_listed(Library::Jose).await;
}

#[tokio::test]
async fn py_jwt() {
    differs_as_listed(Library::PyJwt).await;
}
