//! The libraries. Those of others are asked by scripts in their own languages.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Case, Verdict, ours};
use crate::{installed, process::run};

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(super) enum Library {
    #[serde(rename = "jose")]
    Jose,
    #[serde(rename = "PyJWT")]
    PyJwt,
    #[serde(rename = "tower-bearer")]
    TowerBearer,
}

impl Library {
    /// Its answers to each question of each set, in their order.
    pub(super) async fn judge(self, cases: &[Case]) -> Vec<Verdict> {
        let command = match self {
            Self::Jose => installed::node(include_str!("../node/sets.mjs")),
            Self::PyJwt => installed::python(include_str!("../python/sets.py")),
            Self::TowerBearer => return ours::judge_all(cases),
        };
        let questions: Vec<Value> = cases
            .iter()
            .flat_map(|case| {
                let questions = case.questions.iter();
                questions.map(|question| {
                    json!({
                        "set": case.set,
                        "token": question.token,
                        "issuer": question.issuer,
                        "audience": question.audience,
                    })
                })
            })
            .collect();
        let input = Value::from(questions.clone()).to_string();
        let output = run(command, input).await;
        let verdicts: Vec<Value> = serde_json::from_str(&output).unwrap();
        assert_eq!(verdicts.len(), questions.len());
        verdicts
            .iter()
            .map(|verdict| match verdict["accepted"].as_bool().unwrap() {
                true => Ok(()),
                false => Err(verdict["why"].as_str().unwrap().to_owned()),
            })
            .collect()
    }
}
