//! The words in single quotes (CSP Level 3 section 2.3.1 and the specifications that add to it).

/// Every keyword, of whatever directive. Browsers compare without regard to case.
const KEYWORDS: [&str; 18] = [
    "allow",
    "allow-duplicates",
    "block",
    "inline-speculation-rules",
    "none",
    "report-sample",
    "report-sha256",
    "report-sha384",
    "report-sha512",
    "script",
    "self",
    "strict-dynamic",
    "trusted-types-eval",
    "unsafe-eval",
    "unsafe-hashes",
    "unsafe-inline",
    "unsafe-webtransport-hashes",
    "wasm-unsafe-eval",
];

/// The beginning of a nonce.
const NONCE: &str = "nonce-";

/// The beginning of each kind of hash, how many digits of base64 the digest has, and the padding.
const HASHES: [(&str, usize, &str); 3] = [
    ("sha256-", 43, "="),
    ("sha384-", 64, ""),
    ("sha512-", 86, "=="),
];

/// Whether `source` has a quote at one of its ends, a backquote among them.
pub(super) fn is_quoted(source: &str) -> bool {
    source.starts_with(['\'', '"', '`']) || source.ends_with(['\'', '"', '`'])
}

/// Whether `source` stands in single quotes and means something there.
pub(super) fn is_known(source: &str) -> bool {
    inside(source).is_some_and(|word| KEYWORDS.contains(&word.as_str())) || is_nonce_or_hash(source)
}

/// Whether `source` is `word`, in single quotes and any case.
pub(super) fn is_keyword(source: &str, word: &str) -> bool {
    inside(source).is_some_and(|inside| inside == word)
}

/// Whether `source` allows the scripts that have this nonce.
pub(super) fn is_nonce(source: &str) -> bool {
    inside(source).is_some_and(|word| word.strip_prefix(NONCE).is_some_and(is_base64))
}

/// Whether `source` allows the scripts that have this nonce or hash.
pub(super) fn is_nonce_or_hash(source: &str) -> bool {
    is_nonce(source) || inside(source).is_some_and(|word| is_hash(&word))
}

/// Says what stands in the place of a `source` that is quoted and means nothing.
pub(super) fn cure(source: &str) -> &'static str {
    let word = source.trim_matches(['\'', '"', '`']).to_ascii_lowercase();
    if word.starts_with("nonce") {
        "; a nonce is base64 and another one for each response. Send the policy with it from the handler: \
         SecurityHeadersLayer leaves that header alone"
    } else if word.starts_with("sha") {
        "; a hash is sha256-, sha384- or sha512- and the whole digest in base64: 43 digits and =, 64, or 86 \
         and =="
    } else {
        ""
    }
}

/// The word in the quotes, in lower case.
fn inside(source: &str) -> Option<String> {
    let inside = source.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inside.to_ascii_lowercase())
}

/// `base64-value` of section 2.3.1: one character at least of either alphabet, and two `=` at most.
fn is_base64(value: &str) -> bool {
    let digits = value.trim_end_matches('=');
    !digits.is_empty() && value.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

/// Whether the whole digest is there, with its padding or without. Browsers pass over a shorter or longer
/// one, and `'unsafe-inline'` beside it then means what it says.
fn is_hash(word: &str) -> bool {
    HASHES.iter().any(|(start, len, padding)| {
        let value = word.strip_prefix(start);
        let digits = value.map(|value| value.strip_suffix(padding).unwrap_or(value));
        digits.is_some_and(|digits| digits.len() == *len && digits.bytes().all(is_digit))
    })
}

/// A digit of either alphabet of base64.
fn is_digit(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"+/-_".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_one_whole_digest() {
        for (algorithm, len, padding) in [
            ("sha256", 43, "="),
            ("SHA384", 64, ""),
            ("Sha512", 86, "=="),
        ] {
            for digits in 0..=90 {
                for ends in ["", "=", "==", "==="] {
                    let hash = format!("'{algorithm}-{}{ends}'", "A".repeat(digits));
                    let whole = digits == len && (ends.is_empty() || ends == padding);
                    assert_eq!(is_nonce_or_hash(&hash), whole, "{hash}");
                    assert_eq!(is_known(&hash), whole, "{hash}");
                    assert!(!is_nonce(&hash), "{hash}");
                }
            }
        }
        let digits = "aZ09+/-_".repeat(8);
        assert!(is_nonce_or_hash(&format!("'sha384-{digits}'")));
        for digit in ["=", ".", "\u{e9}", " ", "'"] {
            let digits = format!("{}{digit}", &digits[..64 - digit.len()]);
            assert!(!is_nonce_or_hash(&format!("'sha384-{digits}'")), "{digits}");
        }
    }
}
