//! Reading and writing cookies, by the rules and by public vectors.

use super::*;

fn read(lines: &[&str]) -> Vec<String> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            header::COOKIE,
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
    }
    values(&headers, "a")
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

#[test]
fn every_line_and_every_value_of_the_exact_name_is_read() {
    assert_eq!(
        read(&["a=1; b=2;a = 3 ", "A=4;aa=5; a=\"6\"; a"]),
        ["1", "3", "\"6\""]
    );
    assert_eq!(read(&["a==x=;;=;"]), ["=x="]);
    assert!(read(&["", ";", "b=a=1"]).is_empty());
}

#[test]
fn any_other_cookie_is_seen_and_an_empty_line_is_none() {
    let has = |lines: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        has_other_than(&headers, &["own", "our"])
    };
    for none in [
        &[][..],
        &[""],
        &["; ;"],
        &["own=1"],
        &["own=1; own=2", " own =3;"],
        &["our=1; own=2"],
    ] {
        assert!(!has(none), "{none:?}");
    }
    for other in [
        "a=1",
        "a=",
        "own",
        "=own",
        "Own=1",
        "own=1; a=2",
        "owner=1",
        "own=1;x",
    ] {
        assert!(has(&[other]), "{other}");
    }
    assert!(has(&["own=1", "a=1"]));
}

#[test]
fn own_cookies_are_known_by_their_names() {
    for (line, own) in [
        ("__Host-csrf=1", true),
        ("_ga=1; __Secure-refresh_token=2", true),
        ("_ga=1;__HOST-x", true),
        ("__Http-refresh_token=1", true),
        ("_ga=1; __host-http-csrf=2", true),
        ("\t__secure-x =1", true),
        ("refresh_token=1", true),
        ("_ga=1; refresh_token_jar=1", true),
        ("csrf=1", true),
        ("", false),
        (";=;", false),
        ("_ga=__Host-csrf", false),
        ("a=b=csrf", false),
        ("__Hos-a=1; __Secure=2; _Host-c=3", false),
        ("csrf2=1; xcsrf=2; CSRF=3; refresh_token_2=4", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("theme=dark"));
        headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        assert_eq!(has_own(&headers), own, "{line}");
    }
    assert!(!has_own(&HeaderMap::new()));
}

#[test]
fn set_and_clear_repeat_the_same_attributes() {
    let spec = CookieSpec::new("refresh_token", "/auth", Prefix::Secure, SameSite::Strict).unwrap();
    assert_eq!(
        spec.set("v", Lasts::For(Duration::from_secs(604_800)))
            .unwrap(),
        "__Secure-refresh_token=v; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=604800"
    );
    assert_eq!(
        spec.clear().unwrap(),
        "__Secure-refresh_token=; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=0"
    );
    let host = CookieSpec::new("t", "/auth", Prefix::Host, SameSite::Lax).unwrap();
    assert_eq!(
        host.set("v", Lasts::For(Duration::MAX)).unwrap(),
        "__Host-t=v; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=34560000"
    );
    assert_eq!(host.beside("_jar").name(), "__Host-t_jar");
    assert_eq!(
        spec.beside("_jar").set("v", Lasts::UntilClosed).unwrap(),
        "__Secure-refresh_token_jar=v; HttpOnly; SameSite=Strict; Secure; Path=/auth"
    );
    let http = CookieSpec::new("t", "/auth", Prefix::Http, SameSite::Lax).unwrap();
    assert_eq!(
        http.set("v", Lasts::UntilClosed).unwrap(),
        "__Http-t=v; HttpOnly; SameSite=Lax; Secure; Path=/auth"
    );
    let both = CookieSpec::new("t", "/auth", Prefix::HostHttp, SameSite::Lax).unwrap();
    assert_eq!(
        both.set("v", Lasts::UntilClosed).unwrap(),
        "__Host-Http-t=v; HttpOnly; SameSite=Lax; Secure; Path=/"
    );
}

#[test]
fn paths_match_as_rfc_6265_section_5_1_4_says() {
    let spec = |path| CookieSpec::new("t", path, Prefix::Secure, SameSite::Lax).unwrap();
    for (cookie, path, reached) in [
        ("/auth", "/auth", true),
        ("/auth", "/auth/", true),
        ("/auth", "/auth/refresh", true),
        ("/auth", "/authentic", false),
        ("/auth", "/Auth/refresh", false),
        ("/auth", "/", false),
        ("/auth", "", false),
        ("/auth", "*", false),
        ("/a/b", "/a", false),
        // Something in front has taken `/a` off, and not a part of it.
        ("/a/b", "/b", true),
        ("/a/b", "/b/c", true),
        ("/a/bb", "/b", false),
        ("/a/b/c", "/c/d", true),
        ("/a/b", "/", false),
        ("/a/b", "", false),
        ("/", "/", true),
        ("/", "/auth", true),
        ("/", "*", true),
        ("/", "", true),
    ] {
        assert_eq!(spec(cookie).reaches(path), reached, "{cookie} {path}");
    }
}

#[test]
fn names_and_paths_that_would_inject_are_refused_by_name() {
    let spec = |name, path| CookieSpec::new(name, path, Prefix::Secure, SameSite::Strict);
    assert!(matches!(spec("a;b", "/"), Err(CookieError::Name(_))));
    assert!(matches!(spec("__host-x", "/"), Err(CookieError::Name(_))));
    for path in ["auth", "/a;Domain=x", "/a\r\n", "/a?x", "/auth/", ""] {
        assert!(
            matches!(spec("a", path), Err(CookieError::Path(_))),
            "{path:?}"
        );
    }
}

/// The public `Cookie` header vectors, where they are at hand; the tests above always run.
#[test]
fn public_vectors_read_as_rfc_6265_says() {
    let Some(folder) = std::env::var_os("TOWER_BEARER_VECTORS") else {
        println!("TOWER_BEARER_VECTORS is not set: the public cookie vectors are not run");
        return;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("cookies.jsonl"));
    let mut judged = 0;
    for row in text.unwrap().lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let lines = match &row["cookie_header"] {
            serde_json::Value::Array(lines) => lines.clone(),
            line => vec![line.clone()],
        };
        let mut headers = HeaderMap::new();
        for line in &lines {
            // One character is one byte, as in the files.
            let bytes: Vec<u8> = line.as_str().unwrap().chars().map(|c| c as u8).collect();
            match HeaderValue::from_bytes(&bytes) {
                Ok(value) => drop(headers.append(header::COOKIE, value)),
                // The HTTP library refuses it before us.
                Err(_) => continue,
            }
        }
        let pairs = row["expect_pairs"].as_array().unwrap();
        for pair in pairs {
            let name = pair[0].as_str().unwrap();
            // A pair without a name is a cookie of no layer.
            if name.is_empty() || headers.is_empty() {
                continue;
            }
            let expected: Vec<Vec<u8>> = pairs
                .iter()
                .filter(|pair| pair[0] == name)
                .map(|pair| pair[1].as_str().unwrap().chars().map(|c| c as u8).collect())
                .collect();
            let found: Vec<Vec<u8>> = values(&headers, name).map(<[u8]>::to_vec).collect();
            assert_eq!(found, expected, "{}", row["id"]);
            judged += 1;
        }
        if let Some(name) = row["lookup"].as_str().filter(|_| !headers.is_empty()) {
            let listed = pairs.iter().filter(|pair| pair[0] == name).count();
            assert_eq!(values(&headers, name).count(), listed, "{}", row["id"]);
            judged += 1;
        }
    }
    println!("{judged} public cookie look-ups judged");
    assert!(judged > 80, "{judged}");
}
