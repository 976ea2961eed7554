//! The page with something to show. `TOWER_BEARER_SCREENSHOT` names a file for a picture of it, which
//! `scripts/screenshot` sets.

use std::{env, fs};

use serde_json::json;

use crate::harness::{QUICK, Stage, an_interval};

const DEVICES: [&str; 3] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    "Mozilla/5.0 (Android 16; Mobile; rv:152.0) Gecko/152.0 Firefox/152.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
];

#[tokio::test(flavor = "multi_thread")]
async fn sessions_decisions_and_an_alert_fit_a_desk_and_a_telephone() {
    let stage = Stage::with("127.0.0.1", &[("INSECURE_COOKIE", "0"), QUICK]).await;
    let browser = &stage.browser;
    let (mut stolen, mut last) = (Vec::new(), None);
    for device in DEVICES {
        let mut client = stage.client(device);
        client.sign_in().await;
        stolen = client.session_cookies();
        for _ in 0..2 {
            assert_eq!(client.refresh().await.status, 200);
        }
        last = Some(client);
    }
    an_interval().await;
    assert_eq!(last.unwrap().refresh().await.status, 200);
    let mut thief = stage.client("curl/8.15.0").with_cookies(&stolen);
    assert_eq!(thief.refresh().await.status, 401);

    browser.sign_in().await;
    for _ in 0..2 {
        browser.reload().await;
        browser.until_state("signed-in").await;
    }
    // A request without the CSRF token, which is what other sites could send at best.
    let refused = "return (await fetch('/auth/refresh', { method: 'POST' })).status";
    assert_eq!(browser.wait_for(refused).await, 403);
    browser.until_text("log", "CSRF token was submitted").await;
    let log = browser.text("log").await;
    for decision in ["signed in", "rotated", "coalesced", "reuse detected"] {
        assert!(log.contains(decision), "{decision} is not in {log}");
    }
    let rows = "return document.getElementById('sessions').rows.length";
    assert_eq!(browser.run(rows).await, 3, "one of four was ended");
    let alert = "return document.getElementById('alerts').checkVisibility()";
    assert_eq!(browser.run(alert).await, true);

    let hide = json!({ "hidden": true });
    browser.cdp("Emulation.setScrollbarsHidden", hide).await;
    for (width, height) in [(360, 800), (1040, 1400)] {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser
            .cdp("Emulation.setDeviceMetricsOverride", size)
            .await;
        let overflow = "const { scrollWidth, clientWidth } = document.documentElement;
                        return scrollWidth - clientWidth;";
        assert_eq!(browser.run(overflow).await, 0, "{width} wide");
    }
    let status = browser.text("status").await;
    assert_eq!(status, "You are signed in.", "a reload is no renewal");
    if let Ok(file) = env::var("TOWER_BEARER_SCREENSHOT") {
        fs::write(file, browser.screenshot().await).unwrap();
    }
}
