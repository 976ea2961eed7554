use std::time::Duration;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn keep(jar: &mut TestJar, line: &str) -> Vec<String> {
    let answer = HeaderMap::from_iter([(SET_COOKIE, line.parse().unwrap())]);
    jar.keep("/auth/login?a=/b/c", &answer, NOW)
}

fn sent(jar: &TestJar, path: &str) -> String {
    jar.header(path, NOW).unwrap_or_default()
}

#[test]
fn cookies_go_where_their_path_says_the_longest_first() {
    let mut jar = TestJar::new("https://app.example");
    for line in [
        "a=1; Path=/",
        "b=2; Path=/auth",
        "c=3",
        "d=4; Path=relative",
        "e=5; Path=/auth/",
    ] {
        assert!(keep(&mut jar, line).is_empty(), "{line}");
    }
    assert_eq!(sent(&jar, "/"), "a=1");
    assert_eq!(sent(&jar, "/author"), "a=1");
    assert_eq!(sent(&jar, "/auth/x?y=/z"), "e=5; b=2; c=3; d=4; a=1");
    // The path with a slash behind it is below that one, and not the same.
    assert_eq!(sent(&jar, "/auth"), "b=2; c=3; d=4; a=1");
}

#[test]
fn a_cookie_goes_when_its_time_is_over_or_an_answer_clears_it() {
    let mut jar = TestJar::new("https://app.example");
    keep(
        &mut jar,
        "age=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 2099 00:00:00 GMT",
    );
    keep(
        &mut jar,
        "date=1; Path=/; Expires=Fri, 15 Jan 2027 08:01:00 GMT",
    );
    keep(&mut jar, "long=1; Path=/; Max-Age=99999999999");
    keep(&mut jar, "open=1; Path=/");
    let at = |jar: &TestJar, secs| {
        jar.header("/", NOW + Duration::from_secs(secs))
            .unwrap_or_default()
    };
    assert_eq!(at(&jar, 59), "age=1; date=1; long=1; open=1");
    assert_eq!(at(&jar, 60), "long=1; open=1");
    assert_eq!(at(&jar, 400 * 24 * 3600 - 1), "long=1; open=1");
    assert_eq!(at(&jar, 400 * 24 * 3600), "open=1");

    keep(&mut jar, "age=; Path=/; Max-Age=0");
    keep(
        &mut jar,
        "date=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    );
    assert_eq!(sent(&jar, "/"), "long=1; open=1");
    jar.close();
    assert_eq!((sent(&jar, "/").as_str(), jar.len()), ("long=1", 1));
}

#[test]
fn dropped_cookies_are_told_with_the_reason() {
    for (origin, line, reason) in [
        ("http://app.example", "a=1; Secure", "plain http"),
        ("https://app.example", "__Secure-a=1", "needs Secure"),
        (
            "https://app.example",
            "__Host-a=1; Secure; Path=/auth",
            "Path=/",
        ),
        (
            "https://app.example",
            "__host-a=1; Secure; Path=/; Domain=app.example",
            "no Domain",
        ),
        (
            "https://app.example",
            "__Host-Http-a=1; Secure; Path=/",
            "HttpOnly",
        ),
        ("https://app.example", "a=1; Domain=other.example", "Domain"),
        ("https://app.example", "a=1; Domain=p.example", "Domain"),
        ("http://127.0.0.1", "a=1; Domain=0.1", "Domain"),
        ("https://app.example", "a=1; SameSite=None", "needs Secure"),
        ("https://app.example", "nonsense", "no cookie"),
    ] {
        let mut jar = TestJar::new(origin);
        let dropped = keep(&mut jar, line);
        assert!(
            matches!(&*dropped, [why] if why.contains(reason)),
            "{line}: {dropped:?}"
        );
        assert!(jar.is_empty(), "{line}");
    }
    let mut jar = TestJar::new("https://app.example");
    let long = format!("a={}", "x".repeat(4096));
    assert_eq!(keep(&mut jar, &long).len(), 1);
}

#[test]
fn cookies_that_a_browser_takes_are_kept() {
    for (origin, line) in [
        ("https://app.example", "__Host-a=1; Secure; Path=/"),
        (
            "https://app.example",
            "__Secure-a=1; Secure; Path=/; Domain=Example",
        ),
        ("https://app.example", "a=1; Domain=.app.example; Path=/"),
        ("http://localhost:3000", "a=1; Secure; Path=/"),
        ("http://127.0.0.1:3000", "__Host-a=1; Secure; Path=/"),
        (
            "https://app.example",
            "__Host-Http-a=1; Secure; HttpOnly; Path=/",
        ),
    ] {
        let mut jar = TestJar::new(origin);
        assert!(keep(&mut jar, line).is_empty(), "{line}");
        assert!(sent(&jar, "/").ends_with("a=1"), "{line}");
    }
}

#[test]
fn a_cookie_of_the_same_name_replaces_one_of_its_path_alone() {
    let mut jar = TestJar::new("https://app.example");
    keep(&mut jar, "a=1; Path=/");
    keep(&mut jar, "a=2; Path=/auth");
    keep(&mut jar, "a=3; Path=/");
    assert_eq!(sent(&jar, "/auth/x"), "a=2; a=3");
    jar.replace("a", "4");
    assert_eq!(jar.value("a"), Some("4"));
    assert_eq!(sent(&jar, "/"), "a=4");
}

#[test]
fn a_page_of_another_site_gets_what_says_so_along() {
    let mut jar = TestJar::new("https://app.example");
    for line in [
        "a=1; Path=/; SameSite=Strict",
        "b=2; Path=/",
        "c=3; Path=/; SameSite=None; Secure",
    ] {
        keep(&mut jar, line);
    }
    let foreign = jar.header_for("/", Page::Foreign, NOW);
    assert_eq!(foreign.as_deref(), Some("c=3"));
}

#[test]
fn a_script_reads_no_http_only_cookie() {
    let mut jar = TestJar::new("https://app.example");
    keep(&mut jar, "open=1; Path=/");
    keep(&mut jar, "hidden=1; Path=/; HttpOnly");
    assert_eq!(jar.readable("open", NOW), Some("1"));
    assert_eq!(jar.readable("hidden", NOW), None);
}

#[test]
fn a_jar_prints_no_value() {
    let mut jar = TestJar::new("https://app.example");
    keep(&mut jar, "name=planted; Path=/");
    let printed = format!("{jar:?}");
    assert!(
        printed.contains("name") && !printed.contains("planted"),
        "{printed}"
    );
}

#[test]
#[should_panic(expected = "the name has its prefix")]
fn a_cookie_that_is_not_there_is_not_replaced() {
    TestJar::new("https://app.example").replace("csrf", "x");
}

#[test]
#[should_panic(expected = "an origin such as https://app.example")]
fn an_address_is_no_origin() {
    let _ = TestJar::new("https://app.example/");
}

#[test]
#[should_panic(expected = "and not the pattern")]
fn a_pattern_is_no_origin_of_a_page() {
    let _ = TestJar::new("https://*.app.example");
}
