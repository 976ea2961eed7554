//! The path of a cookie, and the paths of requests, off which something in front may have taken segments.

/// Whether `path` can be that of a cookie below which endpoints lie.
///
/// # Errors
///
/// The rule that `path` breaks.
pub(crate) fn check(path: &str) -> Result<(), &'static str> {
    // Browsers write the other characters in another way (URL standard, "path percent-encode set").
    let written = |b: u8| b.is_ascii_graphic() && !b";?#\"<>\\^`{}".contains(&b);
    if !path.starts_with('/') || !path.bytes().all(written) || !is_encoded(path) {
        return Err(
            "must be an absolute path as browsers write it, without query, such as \"/auth\"",
        );
    }
    if path == "/" {
        return Ok(());
    }
    if path.ends_with('/') {
        return Err("must not end with a slash: the session endpoints lie below it");
    }
    // Browsers read an encoded dot as one.
    let plain = path.to_ascii_lowercase().replace("%2e", ".");
    let mut segments = plain.split('/').skip(1);
    if segments.any(|part| matches!(part, "" | "." | "..")) {
        return Err("must not have empty segments, or segments of dots, which browsers resolve");
    }
    Ok(())
}

/// Whether each percent sign begins an octet (RFC 3986 section 2.1).
fn is_encoded(path: &str) -> bool {
    let mut rests = path.split('%').skip(1);
    rests.all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit()))
}

/// Returns the rests of `path` without its first 0, 1, ... segments: all of it first, the empty path last.
///
/// A router that nests takes leading segments off, and so does a proxy. Neither takes a part of one.
pub(crate) fn tails(path: &str) -> impl Iterator<Item = &str> {
    let path = if path == "/" { "" } else { path };
    std::iter::successors(Some(path), |path| {
        let rest = path.strip_prefix('/')?;
        Some(rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(""))
    })
}

/// The rest of `path` behind `base`, in whole segments (RFC 6265 section 5.1.4).
pub(crate) fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_that_browsers_send() {
        for good in ["/", "/auth", "/app/api/auth", "/a%20b", "/~me/a,b", "/:x/*"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "auth",
            "/auth/",
            "//auth",
            "/a//b",
            "/./auth",
            "/auth/..",
            "/a/%2E%2e/b",
            "/{t}",
            "/a\"",
            "/a\\b",
            "/a b",
            "/a;b",
            "/a?b",
            "/a#b",
            "/%zz",
            "/a%2",
            "/\u{e9}",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tails_are_what_is_left_without_leading_segments() {
        let found = |path| tails(path).collect::<Vec<_>>();
        assert_eq!(
            found("/app/api/auth"),
            ["/app/api/auth", "/api/auth", "/auth", ""]
        );
        assert_eq!(found("/auth"), ["/auth", ""]);
        assert_eq!(found("/"), [""]);
        assert_eq!(found(""), [""]);
        assert_eq!(found("/a//b"), ["/a//b", "//b", "/b", ""]);
    }
}
