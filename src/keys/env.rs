//! Keys from environment variables and mounted files.

use std::{ffi::OsString, io, path::Path};

use zeroize::Zeroizing;

use super::{KeyRing, KeyRingBuilder, lacking::command, strength};
use crate::{
    config::ConfigError,
    secret::{self, Secret},
};

pub(super) const ACCESS: &str = "ACCESS_SECRET";
pub(super) const ENCRYPTION: &str = "ENCRYPTION_KEY";
pub(super) const REFRESH: &str = "REFRESH_SECRET";
pub(super) const SET: &str = "TOWER_BEARER_KEYS";

/// The setting that an error about several variables has.
const ENVIRONMENT: &str = "environment";

const HOW: &str = "`openssl rand -base64 32` makes one";

/// The longest file that is read: a JWK Set of dozens of RSA keys fits.
const MAX_FILE: usize = 256 * 1024;

/// The builder's step for one secret.
type Add = fn(&mut KeyRingBuilder, &[u8]) -> Result<(), ConfigError>;

pub(super) fn from_env() -> Result<KeyRing, ConfigError> {
    from_vars(|name| std::env::var_os(name), |path| std::fs::read(path))
}

/// The same with the environment and the file system given.
pub(super) fn from_vars(
    lookup: impl Fn(&str) -> Option<OsString>,
    read_file: impl Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<KeyRing, ConfigError> {
    let mut wrong = Vec::new();
    let mut value = |name| {
        let value = Value::read(name, &lookup, &read_file);
        value.unwrap_or_else(|error| {
            wrong.push(error);
            None
        })
    };
    let set = value(SET);
    let secrets = [value(ACCESS), value(ENCRYPTION), value(REFRESH)];
    let mut builder = KeyRing::builder();
    if let Some(set) = set {
        if let Some(other) = secrets.iter().flatten().next() {
            return Err(ConfigError::new(
                set.variable,
                format!(
                    "cannot be combined with {}; put every key into the set or none",
                    other.variable
                ),
            ));
        }
        refuse_all(wrong)?;
        builder = builder.then(SET, |builder| builder.add_jwks(&set.text));
        return builder
            .build()
            .map_err(|error| set.problem(error.problem()));
    }
    if wrong.is_empty() && secrets.iter().all(Option::is_none) {
        let command = command(&[ACCESS, ENCRYPTION, REFRESH]);
        return Err(ConfigError::missing(
            ENVIRONMENT,
            format!(
                "{ACCESS}, {ENCRYPTION} and {REFRESH} are not set, nor is {SET}, a JWK Set with such keys. This \
                 makes the three, and the next start needs the same: {command}"
            ),
        ));
    }
    let [access, encryption, refresh] = secrets;
    let steps: [(_, Add); 3] = [
        (access, KeyRingBuilder::add_access_secret),
        (encryption, KeyRingBuilder::add_encryption_key),
        (refresh, KeyRingBuilder::add_refresh_secret),
    ];
    for (value, add) in steps {
        let Some(value) = value else { continue };
        let several = value.text.contains(',');
        for (index, part) in value.text.split(',').enumerate() {
            builder = builder.then(value.name, |builder| {
                let secret = decode(part.trim()).map_err(|problem| value.problem(problem))?;
                add(builder, secret.expose())
            });
            if let Some(error) = builder.take_error() {
                wrong.push(match several {
                    true => value.problem(&format!("secret {} {}", index + 1, error.problem())),
                    false => value.problem(error.problem()),
                });
            }
        }
    }
    refuse_all(wrong)?;
    builder.build()
}

/// One error about every variable that cannot be used.
fn refuse_all(wrong: Vec<ConfigError>) -> Result<(), ConfigError> {
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        several => {
            let texts: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(ConfigError::new(ENVIRONMENT, texts.join("; ")))
        }
    }
}

/// The value of one variable, itself or from its file.
struct Value {
    /// The name without `_FILE`.
    name: &'static str,
    /// The variable that was set.
    variable: String,
    text: Zeroizing<String>,
}

impl Value {
    fn read(
        name: &'static str,
        lookup: impl Fn(&str) -> Option<OsString>,
        read_file: impl Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Option<Self>, ConfigError> {
        let file = format!("{name}_FILE");
        let (variable, bytes) = match (lookup(name), lookup(&file)) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    name,
                    format!("is set and {file} too; set one of them"),
                ));
            }
            (Some(value), None) => (name.to_owned(), value.into_encoded_bytes()),
            (None, Some(path)) => match read_file(Path::new(&path)) {
                Ok(bytes) => (file, bytes),
                // The kind only: the path may be what was meant to be the secret.
                Err(error) => {
                    let problem = format!("names a file that cannot be read: {}", error.kind());
                    return Err(ConfigError::new(file, problem));
                }
            },
        };
        let bytes = Zeroizing::new(bytes);
        if bytes.len() > MAX_FILE {
            return Err(ConfigError::new(variable, "is longer than 256 KiB"));
        }
        let text = std::str::from_utf8(&bytes).map(|text| text.trim_end_matches(['\r', '\n']));
        match text {
            Ok("") => Err(ConfigError::new(
                variable,
                format!("is set but empty; {HOW}"),
            )),
            Ok(text) => Ok(Some(Self {
                name,
                variable,
                text: Zeroizing::new(text.to_owned()),
            })),
            Err(_) => Err(ConfigError::new(variable, "is not text")),
        }
    }

    fn problem(&self, problem: &str) -> ConfigError {
        ConfigError::new(self.variable.clone(), problem.to_owned())
    }
}

/// Hexadecimal, base64url or base64, padded or not. Hexadecimal comes first: 64 such digits would be base64 as well.
/// Random bytes practically never look like that in base64.
fn decode(text: &str) -> Result<Secret<Vec<u8>>, &'static str> {
    strength::check_placeholder(text.as_bytes())?;
    if text.len() >= 64
        && text.len().is_multiple_of(2)
        && text.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return Ok(Secret::new(unhex(text)));
    }
    let forms = [
        base64_simd::URL_SAFE_NO_PAD,
        base64_simd::STANDARD,
        base64_simd::URL_SAFE,
        base64_simd::STANDARD_NO_PAD,
    ];
    let mut decoded = forms
        .into_iter()
        .filter_map(|form| secret::decode(form, text.as_bytes()));
    decoded
        .next()
        .ok_or("must be base64url, base64 or hexadecimal; `openssl rand -base64 32` makes one")
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16).unwrap_or_default();
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| pair.iter().fold(0, |acc, b| acc << 4 | digit(*b) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, io};

    use super::{super::KeyRing, from_vars};
    use crate::config::ConfigError;

    const A: &str = "2Yw1T0r3gk7p5Xh8b0ZQvE4mUeJc9LsKqfN6aRtDiB4";
    const B: &str = "Mh8FHgdGQvOzsHnvSNnZg0kJ3e0j2EoiO1Y1i6hrMCg";
    const C: &str = "1BcwXqTzGJ3B4b8oQw1cTq0a7Jc4vHk0nJ5e6YzX2uY";

    fn ring(vars: &[(&str, &str)]) -> Result<KeyRing, ConfigError> {
        let vars: HashMap<_, _> = vars.iter().copied().collect();
        from_vars(
            |name| vars.get(name).map(Into::into),
            |path| match path.to_str() {
                Some("/secrets/a") => Ok(format!("{A}\n").into_bytes()),
                _ => Err(io::ErrorKind::NotFound.into()),
            },
        )
    }

    fn refused(vars: &[(&str, &str)]) -> ConfigError {
        ring(vars).expect_err("these variables are unusable")
    }

    #[test]
    fn reads_three_secrets() {
        let ring = ring(&[
            ("ACCESS_SECRET", A),
            ("ENCRYPTION_KEY", B),
            ("REFRESH_SECRET", C),
        ])
        .unwrap();
        let keys = ring.load();
        assert!(keys.active_signing().is_some());
        assert!(keys.active_encryption().is_some());
        assert!(keys.sessions.is_some());
    }

    #[test]
    fn every_encoding_gives_the_same_key() {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(A).unwrap();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let base64 = base64_simd::STANDARD.encode_to_string(&bytes);
        let kid = |vars: &[(&str, &str)]| {
            let ring = ring(vars).unwrap();
            ring.load().signing[0].kid().map(str::to_owned)
        };
        let expected = kid(&[("ACCESS_SECRET", A)]);
        assert_eq!(kid(&[("ACCESS_SECRET", &hex)]), expected);
        assert_eq!(kid(&[("ACCESS_SECRET", &hex.to_uppercase())]), expected);
        assert_eq!(kid(&[("ACCESS_SECRET", &base64)]), expected);
        assert_eq!(kid(&[("ACCESS_SECRET_FILE", "/secrets/a")]), expected);
    }

    #[test]
    fn commas_separate_the_minting_key_from_the_accepted() {
        let ring = ring(&[("ACCESS_SECRET", &format!("{B}, {A}"))]).unwrap();
        let keys = ring.load();
        assert_eq!(keys.signing.len(), 2);
        let old = self::ring(&[("ACCESS_SECRET", A)]).unwrap();
        assert_eq!(keys.signing[1].kid(), old.load().signing[0].kid());
    }

    #[test]
    fn missing_and_invalid_values_are_distinguished() {
        let missing = refused(&[]);
        assert!(missing.is_missing());
        let bad = refused(&[("ACCESS_SECRET", "short")]);
        assert!(!bad.is_missing());
        assert!(!refused(&[("ACCESS_SECRET", "")]).is_missing());
    }

    #[test]
    fn errors_name_the_variable_and_how_to_make_a_value_and_never_repeat_it() {
        let cases = [
            ("ACCESS_SECRET", "", "empty"),
            ("ACCESS_SECRET", "c2hvcnQtdmFsdWU", "at least 32"),
            (
                "ACCESS_SECRET",
                "this-is-my-secret-do-not-tell-it-ever",
                "placeholder",
            ),
            ("REFRESH_SECRET", "changeme", "placeholder"),
            (
                "REFRESH_SECRET",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "different bytes",
            ),
            ("ENCRYPTION_KEY", "!!!!not/base64!!!!", "base64"),
            (
                "ENCRYPTION_KEY",
                "2Yw1T0r3gk7p5Xh8b0ZQvE4mUeJc9LsKqfN6aRtDiB4A",
                "exactly 32",
            ),
        ];
        for (name, value, expected) in cases {
            let error = refused(&[(name, value)]);
            assert_eq!(error.setting(), name);
            assert!(error.problem().contains(expected), "{error}");
            assert!(error.problem().contains("openssl rand"), "{error}");
            assert!(
                value.is_empty() || !error.to_string().contains(value),
                "{error}"
            );
        }
    }

    /// One start without keys reports all of it, and one pasted line is the remedy.
    #[test]
    fn nothing_set_names_all_variables_and_the_one_line_that_makes_them() {
        assert_eq!(
            format!("{:?}", refused(&[])),
            "environment: ACCESS_SECRET, ENCRYPTION_KEY and REFRESH_SECRET are not set, nor is \
             TOWER_BEARER_KEYS, a JWK Set with such keys. This makes the three, and the next start needs the \
             same: export ACCESS_SECRET=$(openssl rand -base64 32) ENCRYPTION_KEY=$(openssl rand -base64 32) \
             REFRESH_SECRET=$(openssl rand -base64 32)"
        );
    }

    #[test]
    fn all_unusable_values_are_reported_at_once_and_none_is_repeated() {
        let vars = [
            ("ACCESS_SECRET", "c2hvcnQtdmFsdWU"),
            ("ENCRYPTION_KEY", "!!!!not/base64!!!!"),
            ("REFRESH_SECRET_FILE", "/secrets/none"),
        ];
        let error = refused(&vars);
        assert_eq!(error.setting(), "environment");
        for (name, value) in vars {
            assert!(error.problem().contains(&format!("{name}: ")), "{error}");
            assert!(!error.problem().contains(value), "{error}");
        }
        assert!(
            error.problem().contains("at least 32 bytes and has 11"),
            "{error}"
        );
        let set = refused(&[("TOWER_BEARER_KEYS", "{}"), ("ACCESS_SECRET_FILE", "/none")]);
        assert_eq!(set.setting(), "ACCESS_SECRET_FILE");
    }

    #[test]
    fn of_several_secrets_the_error_says_which_is_wrong() {
        let error = refused(&[("ACCESS_SECRET", &format!("{A},c2hvcnQtdmFsdWU"))]);
        assert_eq!(error.setting(), "ACCESS_SECRET");
        assert!(error.problem().starts_with("secret 2 must have"), "{error}");
    }

    #[test]
    fn files_are_named_by_their_variable() {
        let error = refused(&[("REFRESH_SECRET_FILE", "/secrets/none")]);
        assert_eq!(error.setting(), "REFRESH_SECRET_FILE");
        assert!(!error.to_string().contains("/secrets/none"));
        let both = refused(&[("ACCESS_SECRET", B), ("ACCESS_SECRET_FILE", "/secrets/a")]);
        assert_eq!(both.setting(), "ACCESS_SECRET");
    }

    #[test]
    fn one_secret_serves_one_purpose() {
        let error = refused(&[("ACCESS_SECRET", A), ("ENCRYPTION_KEY", A)]);
        assert_eq!(error.setting(), "ENCRYPTION_KEY");
        assert!(error.problem().contains("own"), "{error}");
        let twice = refused(&[("REFRESH_SECRET", &format!("{A},{A}"))]);
        assert_eq!(twice.setting(), "REFRESH_SECRET");
    }

    #[test]
    fn a_set_stands_alone() {
        let set = format!(
            r#"{{"keys":[{{"kty":"oct","alg":"HS256","kid":"s","k":"{A}"}},
               {{"kty":"oct","alg":"dir","enc":"A256GCM","k":"{B}"}},
               {{"kty":"oct","use":"refresh","k":"{C}"}}]}}"#
        );
        let ring = ring(&[("TOWER_BEARER_KEYS", &set)]).unwrap();
        let keys = ring.load();
        assert_eq!(keys.active_signing().unwrap().kid(), Some("s"));
        assert!(keys.active_encryption().is_some());
        assert!(keys.sessions.is_some());
        let error = refused(&[("TOWER_BEARER_KEYS", &set), ("ACCESS_SECRET", A)]);
        assert_eq!(error.setting(), "TOWER_BEARER_KEYS");
        let error = refused(&[("TOWER_BEARER_KEYS", "{\"keys\":[\"sEcReT\"]}")]);
        assert_eq!(error.setting(), "TOWER_BEARER_KEYS");
        assert!(!error.to_string().contains("sEcReT"));
    }
}
