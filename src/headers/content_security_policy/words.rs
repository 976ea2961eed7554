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

/// A quoted nonce or hash begins with one of these.
const PREFIXES: [&str; 4] = ["nonce-", "sha256-", "sha384-", "sha512-"];

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

/// Whether `source` allows the one script that has this nonce or hash.
pub(super) fn is_nonce_or_hash(source: &str) -> bool {
    inside(source).is_some_and(|word| {
        let value = PREFIXES.iter().find_map(|start| word.strip_prefix(start));
        value.is_some_and(is_base64)
    })
}

/// The word in the quotes, in lower case.
fn inside(source: &str) -> Option<String> {
    let inside = source.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inside.to_ascii_lowercase())
}

/// `base64-value` of section 2.3.1: one character at least of either alphabet, and two `=` at most.
fn is_base64(value: &str) -> bool {
    let digits = value.trim_end_matches('=');
    !digits.is_empty()
        && value.len() - digits.len() <= 2
        && digits
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b))
}
