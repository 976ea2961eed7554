//! Whether a policy lets foreign scripts run, which is what a policy is there to prevent.

use super::words::{is_keyword, is_nonce_or_hash};

/// From where any site can serve a script. `ws:` and `wss:` match `https:` too (CSP Level 3,
/// "scheme-part matching"). `blob:` is not one: only a script that runs already makes such an address.
const OPEN_SCHEMES: [&str; 5] = ["data:", "http:", "https:", "ws:", "wss:"];

/// The name and the sources of one directive.
pub(super) type Directive<'a> = (String, Vec<&'a str>);

/// The opening by which scripts of an attacker run and its remedy, or nothing.
pub(super) fn opening(directives: &[Directive]) -> Option<String> {
    let sources = |wanted: &str| directives.iter().find(|(name, _)| name == wanted);
    // In a sandbox nothing runs, unless the sandbox says so.
    let allows = |word: &&str| word.eq_ignore_ascii_case("allow-scripts");
    if sources("sandbox").is_some_and(|(_, words)| !words.iter().any(allows)) {
        return None;
    }
    let Some(general) = sources("script-src").or_else(|| sources("default-src")) else {
        return Some(
            "has neither script-src nor default-src, so that every script runs. An API writes default-src 'none'; \
             frame-ancestors 'none', and a page default-src 'self'"
                .to_owned(),
        );
    };
    // The two others say it for `<script>` and for attributes such as `onclick`, in browsers that know them.
    let special = ["script-src-elem", "script-src-attr"].map(sources);
    [Some(general)]
        .into_iter()
        .chain(special)
        .flatten()
        .find_map(|(name, sources)| {
            let source = opening_source(sources)?;
            let cure = cure(source, sources);
            Some(format!(
                "has {source} in {name}, so that scripts of an attacker run; {cure}"
            ))
        })
}

/// Says what to write in place of a `source` that opens the list.
fn cure(source: &str, sources: &[&str]) -> &'static str {
    if is_keyword(source, "unsafe-eval") {
        "remove the word, and the code that evaluates a text from the scripts"
    } else if is_keyword(source, "unsafe-inline") {
        "put a hash of each script beside it, or from a handler a nonce, or remove the word"
    } else if sources
        .iter()
        .any(|source| is_keyword(source, "strict-dynamic"))
    {
        // It would have closed the list beside one of these.
        "put a hash beside 'strict-dynamic', or from a handler a nonce, or name the origins of the scripts"
    } else {
        "name the origins of the scripts, such as 'self'"
    }
}

/// The first source that opens the list.
fn opening_source<'a>(sources: &[&'a str]) -> Option<&'a str> {
    // Browsers ignore `'unsafe-inline'` beside a nonce or hash, and origins beside `'strict-dynamic'` too. See CSP
    // Level 3, "Does a source list allow all inline behavior" and "Script directives pre-request check". Those that
    // do not know `'strict-dynamic'` ignore that word instead. So it counts beside a nonce or hash alone, without
    // which it would let no script run.
    let named = sources.iter().any(|source| is_nonce_or_hash(source));
    let strict = named
        && sources
            .iter()
            .any(|source| is_keyword(source, "strict-dynamic"));
    sources.iter().copied().find(|source| {
        is_keyword(source, "unsafe-eval")
            || (!named && is_keyword(source, "unsafe-inline"))
            || (!strict && is_any_site(source))
    })
}

/// Whether any site, or any below one top-level domain, is meant.
fn is_any_site(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    if OPEN_SCHEMES.contains(&source.as_str()) {
        return true;
    }
    let host = source
        .split_once("://")
        .map_or(source.as_str(), |(_, rest)| rest);
    let host = host.split([':', '/']).next().unwrap_or_default();
    match host.strip_prefix("*.") {
        Some(domain) => !domain.trim_end_matches('.').contains('.'),
        None => host == "*",
    }
}

#[cfg(test)]
mod tests {
    use crate::headers::ContentSecurityPolicy;

    /// The problem with it, if it has one.
    fn problem(text: &str) -> Option<String> {
        let error = text.parse::<ContentSecurityPolicy>().err()?;
        // Nothing else is wrong with it.
        let policy = ContentSecurityPolicy::dangerous_any_script(text).unwrap();
        assert_eq!(policy.as_str(), text);
        Some(error.problem().to_owned())
    }

    #[test]
    fn a_policy_that_lets_any_script_in_is_an_error() {
        for (text, part) in [
            ("script-src *", "* in script-src,"),
            ("script-src 'self' https:", "https: in script-src,"),
            ("script-src HTTPS:", "HTTPS: in script-src,"),
            ("script-src http:", "http:"),
            ("script-src data:", "data:"),
            ("script-src wss:", "wss:"),
            ("script-src ws:", "ws:"),
            ("script-src https://*", "https://*"),
            ("script-src *:443", "*:443"),
            ("script-src https://*:*/app.js", "https://*:*/app.js"),
            ("script-src *.com", "*.com"),
            ("script-src https://*.com.", "https://*.com."),
            ("script-src 'self' 'unsafe-inline'", "'unsafe-inline'"),
            ("script-src 'self' 'Unsafe-Inline'", "'Unsafe-Inline'"),
            ("script-src 'self' 'unsafe-eval'", "'unsafe-eval'"),
            // Scripts do not care for the other directives.
            ("default-src 'none'; script-src *", "* in script-src,"),
            ("default-src *; img-src 'self'", "* in default-src,"),
            ("default-src 'self' 'unsafe-inline'", "in default-src,"),
            ("Default-Src *", "* in default-src,"),
            // A nonce or hash switches off the inline scripts, and nothing more.
            ("script-src 'nonce-q9Zx' https:", "https:"),
            ("script-src 'nonce-q9Zx' 'unsafe-eval'", "'unsafe-eval'"),
            (
                "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' data:",
                "data:",
            ),
            // Browsers that do not know this word, and those that see no script it could begin with.
            (
                "script-src 'strict-dynamic' 'unsafe-inline' *",
                "'unsafe-inline'",
            ),
            ("script-src 'strict-dynamic' https:", "https:"),
            ("script-src 'Strict-Dynamic' 'self' *", "* in script-src,"),
            // Without its quotes it is a host.
            ("script-src strict-dynamic https:", "https:"),
            ("script-src nonce-q9Zx 'unsafe-inline'", "'unsafe-inline'"),
            (
                "script-src 'strict-dynamic' 'nonce-q9Zx' 'unsafe-eval'",
                "'unsafe-eval'",
            ),
            // The parts of it that newer browsers read apart, and what older ones read in their place.
            (
                "script-src 'self'; script-src-elem *",
                "* in script-src-elem,",
            ),
            (
                "script-src 'self'; script-src-attr 'unsafe-inline'",
                "in script-src-attr,",
            ),
            (
                "script-src *; script-src-elem 'self'; script-src-attr 'none'",
                "in script-src,",
            ),
            // Nothing said is everything allowed.
            (
                "frame-ancestors 'none'",
                "neither script-src nor default-src",
            ),
            (
                "img-src 'self'; script-src-elem 'self'",
                "neither script-src nor",
            ),
            ("sandbox allow-scripts", "neither script-src nor"),
            ("sandbox allow-Scripts; script-src *", "* in script-src,"),
            ("upgrade-insecure-requests", "neither"),
        ] {
            let problem = problem(text).expect(text);
            assert!(problem.contains(part), "{text}: {problem}");
            assert!(problem.contains("dangerous_any_script"), "{problem}");
        }
    }

    #[test]
    fn a_policy_that_keeps_foreign_scripts_out_is_none() {
        for text in [
            "default-src 'none'",
            "script-src 'self'",
            "default-src *; script-src 'self'",
            "default-src 'self' 'unsafe-inline'; script-src 'none'",
            "script-src",
            "script-src 'self'; style-src 'unsafe-inline'; img-src *; connect-src https:",
            "script-src https://cdn.example https://*.cdn.example *.co.uk:* cdn.example/*",
            "script-src 'self' blob: capacitor:",
            "script-src 'self' 'wasm-unsafe-eval' 'trusted-types-eval' 'unsafe-hashes'",
            "script-src 'unsafe-inline' 'nonce-q9Zx'",
            "script-src 'unsafe-inline' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
            "script-src 'strict-dynamic' https: 'SHA256-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'",
            // No script runs.
            "script-src 'strict-dynamic'",
            "script-src 'strict-dynamic' 'self' https://cdn.example",
            // From Google's guide, for browsers of all ages.
            "script-src 'strict-dynamic' 'nonce-q9Zx' 'unsafe-inline' https: http:",
            "sandbox",
            "sandbox allow-forms; script-src *",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    /// A remedy that leaves the fault would send its reader in circles.
    #[test]
    fn the_remedy_fits_the_fault() {
        for (text, part) in [
            (
                "script-src 'unsafe-inline'",
                "a hash of each script beside it, or from a handler a nonce, or remove the word",
            ),
            (
                "script-src 'unsafe-eval'",
                "remove the word, and the code that evaluates a text from the scripts",
            ),
            (
                "script-src https:",
                "name the origins of the scripts, such as 'self',",
            ),
            (
                "script-src 'strict-dynamic' https:",
                "a hash beside 'strict-dynamic', or from a handler a nonce, or",
            ),
            (
                "frame-ancestors 'none'",
                "An API writes default-src 'none'; frame-ancestors 'none',",
            ),
        ] {
            let problem = problem(text).unwrap();
            assert!(problem.contains(part), "{text}: {problem}");
        }
        let cured = [
            "default-src 'none'; frame-ancestors 'none'",
            "default-src 'self'",
            "script-src 'unsafe-inline' 'nonce-q9Zx'",
            "script-src 'strict-dynamic' https: 'nonce-q9Zx'",
        ];
        assert_eq!(cured.map(problem), [const { None }; 4]);
    }
}
