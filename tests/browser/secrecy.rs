//! Where the two tokens are, and above all where they are not.

use serde_json::Value;

use crate::harness::Stage;

/// Everything that a script of the page can read without asking the server, as one text.
const ALL_THAT_IS_IN_REACH: &str = "
    const found = [
        JSON.stringify({ ...localStorage }),
        JSON.stringify({ ...sessionStorage }),
        document.cookie,
        document.documentElement.outerHTML,
        JSON.stringify(performance.getEntries()),
        JSON.stringify(history.state),
        window.name,
        JSON.stringify(await indexedDB.databases()),
        JSON.stringify(await caches.keys()),
    ];
    const seen = new Set();
    const walk = (object, depth) => {
        if (object === null || depth > 5 || seen.has(object)) return;
        seen.add(object);
        for (const name of Reflect.ownKeys(object)) {
            let value;
            try {
                value = object[name];
            } catch {
                continue;
            }
            found.push(String(name));
            if (typeof value === 'string') found.push(value);
            if (typeof value === 'object' || typeof value === 'function') walk(value, depth + 1);
        }
    };
    walk(window, 0);
    return found.join('\\n');";

async fn in_reach(stage: &Stage) -> String {
    let all = stage.browser.wait_for(ALL_THAT_IS_IN_REACH).await;
    all.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_finds_a_token() {
    let stage = Stage::signed_in().await;
    stage.browser.reload().await;
    stage.browser.until_state("signed-in").await;
    let asked = stage.asked("/api/profile");
    let token = asked.last().unwrap().header("authorization");
    let token = token.strip_prefix("Bearer ").unwrap();
    let cookies = stage.browser.session_cookies().await;
    assert_eq!(cookies.len(), 2, "{cookies:?}");

    let all = in_reach(&stage).await;
    // A value that is there is found, so the search works.
    assert!(all.contains("__Host-csrf=") && all.contains("dev@example.com"));
    let cookies = cookies.iter().map(|(_, value)| &**value);
    for secret in cookies.chain([token]) {
        assert!(!all.contains(secret));
    }
    for store in ["localStorage", "sessionStorage"] {
        assert_eq!(
            stage.browser.run(&format!("return {store}.length")).await,
            0
        );
    }

    // And one that is left lying about is found, wherever it lies.
    let places = [
        "localStorage.setItem('t', TOKEN)",
        "sessionStorage.setItem('t', TOKEN)",
        "document.cookie = `t=${TOKEN}`",
        "window.state = { tokens: [TOKEN] }",
    ];
    for place in places {
        let script = place.replace("TOKEN", "'left-lying-about'");
        stage.browser.run(&script).await;
        assert!(
            in_reach(&stage).await.contains("left-lying-about"),
            "{place}"
        );
        let tidy = "localStorage.clear(); sessionStorage.clear(); delete window.state;
                    document.cookie = 't=; Max-Age=0';";
        stage.browser.run(tidy).await;
        assert!(!in_reach(&stage).await.contains("left-lying-about"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_cookie_is_kept_from_scripts_other_sites_and_the_api() {
    let stage = Stage::signed_in().await;
    stage.browser.reload().await;
    stage.browser.until_state("signed-in").await;
    let cookies = stage.browser.cookies().await;
    for name in ["__Secure-refresh_token", "__Secure-refresh_token_jar"] {
        let mut named = cookies.iter().filter(|cookie| cookie["name"] == name);
        let cookie = named.next().expect("the browser has accepted the cookie");
        assert_eq!(cookie["httpOnly"], true);
        assert_eq!(cookie["secure"], true);
        assert_eq!(cookie["sameSite"], "Strict");
        assert_eq!(cookie["path"], "/auth");
        // Of this host alone, and not of those below it.
        assert_eq!(cookie["domain"], "127.0.0.1");
        assert_eq!(cookie["session"], Value::Bool(false));
    }

    let [mut with, mut without] = [0, 0];
    for seen in stage.proxy.seen() {
        let sent = seen.header("cookie").contains("refresh_token=");
        if seen.path.starts_with("/auth/") {
            with += usize::from(sent);
            assert_eq!(seen.header("authorization"), "", "{}", seen.path);
        } else {
            without += 1;
            assert!(!sent, "{} came with the refresh cookie", seen.path);
        }
    }
    assert!(with > 0 && without > 0, "{with} {without}");
    // The API takes the token, and the cookie is not enough.
    let status = "return (await fetch('/api/profile', { credentials: 'include' })).status";
    assert_eq!(stage.browser.wait_for(status).await, 401);
}
