//! The command line.

use std::ffi::OsString;

use tower_bearer::token::TokenType;

pub(crate) const USAGE: &str = "\
usage: explain --jwks FILE-or-URL --issuer I --audience A [--now SECONDS]
               [--token-types at+jwt,JWT,absent] [--scope-claims scope,scp]
               [--audience-claim client_id]

Reads tokens from standard input, one a line, with or without \"Bearer \" in
front. Prints one line of JSON about the issuer's keys, and one about each token.
--issuer and --audience may be repeated.";

#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) jwks: String,
    pub(crate) issuers: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) now: Option<u64>,
    pub(crate) token_types: Option<Vec<TokenType>>,
    pub(crate) scope_claims: Option<Vec<String>>,
    pub(crate) audience_claim: Option<String>,
}

/// Reads the arguments behind the program's name. The error is for its user.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args, String> {
    let mut args = args.into_iter().map(|arg| {
        let text = arg.into_string();
        text.map_err(|arg| format!("{} is not UTF-8", arg.display()))
    });
    let mut jwks = None;
    let mut parsed = Args::default();
    while let Some(name) = args.next().transpose()? {
        let (name, inline) = match name.split_once('=') {
            Some((name, value)) if name.starts_with("--") => {
                (name.to_owned(), Some(value.to_owned()))
            }
            _ => (name, None),
        };
        let mut value = || match inline.clone() {
            Some(value) => Ok(value),
            None => args
                .next()
                .unwrap_or_else(|| Err(format!("{name} wants a value"))),
        };
        match name.as_str() {
            "--jwks" => once(&name, &mut jwks, value()?)?,
            "--issuer" => parsed.issuers.push(value()?),
            "--audience" => parsed.audiences.push(value()?),
            "--now" => once(&name, &mut parsed.now, seconds(&value()?)?)?,
            "--token-types" => {
                let types = value()?.split(',').map(token_type).collect();
                once(&name, &mut parsed.token_types, types)?;
            }
            "--scope-claims" => {
                let claims = value()?.split(',').map(str::to_owned).collect();
                once(&name, &mut parsed.scope_claims, claims)?;
            }
            "--audience-claim" => once(&name, &mut parsed.audience_claim, value()?)?,
            _ => return Err(format!("{name:?} is no argument of it")),
        }
    }
    parsed.jwks = jwks.ok_or("--jwks is missing")?;
    for (name, missing) in [
        ("--issuer", parsed.issuers.is_empty()),
        ("--audience", parsed.audiences.is_empty()),
    ] {
        if missing {
            return Err(format!("{name} is missing"));
        }
    }
    Ok(parsed)
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{name} stands there twice")),
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    let problem = || format!("--now {text:?} is no number of seconds since 1970");
    text.parse().map_err(|_| problem())
}

/// The type of this name; whether there is such a one is for the codec to say.
fn token_type(name: &str) -> TokenType {
    match name {
        "at+jwt" => TokenType::AccessToken,
        "JWT" => TokenType::Jwt,
        "absent" => TokenType::Absent,
        other => TokenType::Named(other.to_owned().into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_whole_line() {
        let args = args(
            "--jwks keys.json --issuer a --issuer b --audience=c=d --now 7 --token-types at+jwt,JWT,absent,x+jwt \
             --scope-claims scope,scp --audience-claim client_id",
        )
        .unwrap();
        assert_eq!(args.jwks, "keys.json");
        assert_eq!(
            (args.issuers, args.audiences),
            (vec!["a".into(), "b".into()], vec!["c=d".into()])
        );
        assert_eq!(args.now, Some(7));
        let named = TokenType::Named("x+jwt".into());
        let types = [
            TokenType::AccessToken,
            TokenType::Jwt,
            TokenType::Absent,
            named,
        ];
        assert_eq!(args.token_types.unwrap(), types);
        assert_eq!(args.scope_claims.unwrap(), ["scope", "scp"]);
        assert_eq!(args.audience_claim.unwrap(), "client_id");
    }

    #[test]
    fn what_is_no_line_of_arguments() {
        for (line, problem) in [
            ("", "--jwks is missing"),
            ("--jwks k --audience a", "--issuer is missing"),
            ("--jwks k --issuer i", "--audience is missing"),
            ("--jwks k --issuer", "--issuer wants a value"),
            ("--jwks k --jwks l", "--jwks stands there twice"),
            ("--now soon", "no number of seconds"),
            ("--now -1", "no number of seconds"),
            ("keys.json", "\"keys.json\" is no argument"),
            ("--help", "\"--help\" is no argument"),
        ] {
            let error = args(line).unwrap_err();
            assert!(error.contains(problem), "{line}: {error}");
        }
    }
}
