//! Whether a policy lets foreign scripts run, which is what a policy is there to prevent.

use super::words::{is_keyword, is_nonce_or_hash};

/// From where any site can serve a script. `ws:` and `wss:` match `https:` too (CSP Level 3,
/// "scheme-part matching"). `blob:` is not one: only a script that runs already makes such an address.
const OPEN_SCHEMES: [&str; 5] = ["data:", "http:", "https:", "ws:", "wss:"];

/// The name and the sources of one directive.
pub(super) type Directive<'a> = (String, Vec<&'a str>);

/// The opening by which scripts of an attacker run, or nothing.
pub(super) fn opening(directives: &[Directive]) -> Option<String> {
    let sources = |wanted: &str| directives.iter().find(|(name, _)| name == wanted);
    // In a sandbox nothing runs, unless the sandbox says so.
    let allows = |word: &&str| word.eq_ignore_ascii_case("allow-scripts");
    if sources("sandbox").is_some_and(|(_, words)| !words.iter().any(allows)) {
        return None;
    }
    let Some(general) = sources("script-src").or_else(|| sources("default-src")) else {
        return Some(
            "has neither script-src nor default-src, so that every script runs".to_owned(),
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
            Some(format!(
                "has {source} in {name}, so that scripts of an attacker run"
            ))
        })
}

/// The first source that opens the list.
fn opening_source<'a>(sources: &[&'a str]) -> Option<&'a str> {
    let any = |word: &str| sources.iter().any(|source| is_keyword(source, word));
    // Browsers pass over `'unsafe-inline'` beside any of these, and beside `'strict-dynamic'` over origins
    // too (CSP Level 3, "Does a source list allow all inline behavior", "Script directives pre-request check").
    let strict = any("strict-dynamic");
    let inline = !strict && !sources.iter().any(|source| is_nonce_or_hash(source));
    sources.iter().copied().find(|source| {
        is_keyword(source, "unsafe-eval")
            || (inline && is_keyword(source, "unsafe-inline"))
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
            ("script-src 'sha256-q9Zx' data:", "data:"),
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
            "script-src 'unsafe-inline' 'sha256-q9Zx'",
            // From Google's guide, for browsers of all ages.
            "script-src 'strict-dynamic' 'nonce-q9Zx' 'unsafe-inline' https: http:",
            "script-src 'strict-dynamic' 'unsafe-inline' *",
            "sandbox",
            "sandbox allow-forms; script-src *",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }
}
