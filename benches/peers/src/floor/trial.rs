//! The floor is tried before it is measured: a floor that checked less than others would be no measure.

use super::{claims::Claims, claims::Rules};
use crate::case::Problem;

const NOW: u64 = 1_800_000_000;

/// Claims that are good, the second set as the parser for all of JSON has to read it.
const GOOD: [&str; 8] = [
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001}"#,
    r#" { "exp" : 1800000001.5 , "aud" : [ "b", "a" ] , "sub" : "\u0073" , "iss" : "i" } "#,
    r#"{"aud":"a","iss":"i","sub":"s","exp":1799999941,"iat":1800000060,"nbf":1800000060}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"role":"x","level":0}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"more":{"exp":1,"list":[true,null]}}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"role":"\"\\"}"#,
    r#"{"iss":"i","aud":"a","exp":1800000001,"sub":"s","jti":"j","sid":"t","scope":"x y"}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"temperature":-1.5e3}"#,
];

/// Claims that are not.
const BAD: [&str; 30] = [
    "",
    "{",
    "{}",
    "[]",
    r#"{"iss":"i","aud":"a""#,
    r#"{"iss":"i","aud":"a"}"#,
    r#"{"iss":"i","aud":"a","sub":"s"}"#,
    r#"{"iss":"i","aud":"a","exp":1800000001}"#,
    r#"{"iss":"i","aud":"a","sub":"","exp":1800000001}"#,
    r#"{"iss":"i","sub":"s","exp":1800000001}"#,
    r#"{"aud":"a","sub":"s","exp":1800000001}"#,
    r#"{"iss":"x","aud":"a","sub":"s","exp":1800000001}"#,
    r#"{"iss":"i","aud":"x","sub":"s","exp":1800000001}"#,
    r#"{"iss":"i","aud":["x"],"sub":"s","exp":1800000001}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1799999940}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"iat":1800000061}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"nbf":1800000061}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"nbf":"never"}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":"1800000001"}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":01800000001}"#,
    r#"{"iss":"i","aud":"a","sub":5,"exp":1800000001}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"cnf":{"jkt":"k"}}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"iss":"i"}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"sub":"t"}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"s\u0075b":"t"}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,"jti":"j","jti":"j"}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001,}"#,
    r#"{"iss":"i","aud":"a","sub":"s","exp":1800000001}x"#,
    "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\n\",\"exp\":1800000001}",
    r#"{"iss":"i","aud":"a","sub":"s" "exp":1800000001}"#,
];

/// Checks that it takes good tokens and refuses bad ones.
pub fn run() -> Result<(), Problem> {
    let rules = Rules::new("i", "a", 60);
    let takes = |text: &&str| match Claims::read(text, &rules, NOW) {
        Ok(claims) => claims.subject() == "s" && claims.issuer() == "i",
        Err(_) => false,
    };
    if let Some(text) = GOOD.iter().find(|text| !takes(text)) {
        return Err(format!("the floor refuses {text}"));
    }
    let passes = |text: &&&str| Claims::read(text, &rules, NOW).is_ok();
    match BAD.iter().find(passes) {
        Some(text) => Err(format!("the floor takes {text}")),
        None => Ok(()),
    }
}
