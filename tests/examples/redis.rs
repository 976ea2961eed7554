//! Sessions in a Redis of the test's own, which goes away and comes back. Two instances use it, and the page's service.

use std::process::Command;

use crate::support::{
    Answer, Browser, Ended, LOCAL, PASSWORD, Program, READY, Redis, example, keys, serve,
};

const CLEARED: &str = "__Secure-refresh_token=;*Max-Age=0";

/// The instances, and one browser that asks now the one, now the other.
struct Instances {
    program: Program,
    browser: Browser,
}

impl Instances {
    async fn over(redis: &Redis) -> Self {
        let mut command = example("redis");
        command
            .envs(keys())
            .env("REDIS_URL", redis.url())
            .env("ADDR", LOCAL)
            .env("ADDR2", LOCAL);
        let program = Program::start(&mut command, READY).await;
        assert_eq!(program.err(), "");
        let mut browser = Browser::new(program.url(0));
        browser.get("/auth/csrf").await.is(200);
        Self { program, browser }
    }

    fn one(&mut self) -> &mut Browser {
        self.at(0)
    }

    fn two(&mut self) -> &mut Browser {
        self.at(1)
    }

    fn at(&mut self, instance: usize) -> &mut Browser {
        self.browser.go_to(&self.program.url(instance));
        &mut self.browser
    }
}

/// The answer while Redis is away. The cookie is as good as before.
fn is_away(answer: &Answer) {
    answer
        .is(503)
        .has("retry-after", "1")
        .lacks("set-cookie", "");
}

#[tokio::test]
async fn two_instances_share_their_sessions() {
    let redis = Redis::start().await;
    let mut instances = Instances::over(&redis).await;
    instances.one().sign_in("wrong").await.is(401);
    let started = instances.one().sign_in(PASSWORD).await;
    let token = started.is(200).access_token();
    let who = instances.two().get("/api/whoami").bearer(&token).await;
    who.is(200).says(r#""instance":"two""#);
    let refreshed = instances.two().refresh().await;
    let token = refreshed
        .is(200)
        .has("set-cookie", "__Secure-refresh_token=")
        .access_token();
    let who = instances.one().get("/api/whoami").bearer(&token).await;
    who.is(200).says(r#""instance":"one""#);
    instances.one().refresh().await.is(200);

    let mut copy = instances.one().clone();
    instances.two().post("/auth/logout").await.is(204);
    copy.refresh().await.is(401).has("set-cookie", CLEARED);
    instances.program.stops().await;
}

#[tokio::test]
async fn a_replaced_cookie_on_another_client_at_the_other_instance() {
    let redis = Redis::start().await;
    let mut instances = Instances::over(&redis).await;
    instances.one().sign_in(PASSWORD).await.is(200);
    let mut thief = instances.two().stolen();
    instances.one().refresh().await.is(200);
    // Within the grace it gets nothing there, and ends nothing here.
    thief.refresh().await.is(409);
    instances.program.reports("instance two: OldToken").await;
    instances.one().refresh().await.is(200);
}

#[tokio::test]
async fn redis_is_killed_and_comes_back() {
    let mut redis = Redis::start().await;
    let mut instances = Instances::over(&redis).await;
    let started = instances.one().sign_in(PASSWORD).await;
    let token = started.is(200).access_token();

    redis.kill();
    for (number, name) in ["one", "two"].into_iter().enumerate() {
        is_away(&instances.at(number).refresh().await);
        let report = format!("instance {name}: Redis does not answer");
        instances.program.reports(&report).await;
        // It is not asked about access tokens.
        let who = instances.at(number).get("/api/whoami").bearer(&token);
        who.await.is(200);
    }
    is_away(&instances.two().sign_in(PASSWORD).await);

    redis.start_again(&[]).await;
    retry_after().await;
    for (number, name) in ["one", "two"].into_iter().enumerate().rev() {
        instances.at(number).refresh().await.is(200);
        let report = format!("instance {name}: Redis answers again");
        instances.program.reports(&report).await;
    }
    instances.program.stops().await;
}

/// As long as the header of the same name has said.
async fn retry_after() {
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}

/// The page's service over a Redis, with the same keys each time.
struct Demo {
    keys: Vec<(String, String)>,
    url: String,
}

impl Demo {
    fn over(redis: &Redis) -> Self {
        Self {
            keys: keys(),
            url: redis.url(),
        }
    }

    async fn start(&self) -> (Program, Browser) {
        let mut command = example("demo");
        command.envs(self.keys.clone()).env("REDIS_URL", &self.url);
        let (service, browser) = serve(&mut command).await;
        let out = service.out();
        assert!(out.contains("Sessions live in the Redis"), "{out}");
        (service, browser)
    }

    /// Ends it, starts it again, and leads the browser to where it is now.
    async fn restart(&self, service: Program, browser: &mut Browser) -> Program {
        service.stops().await;
        let (service, now) = self.start().await;
        browser.go_to(&now.url);
        service
    }

    async fn signed_in(&self) -> (Program, Browser) {
        let (service, mut browser) = self.start().await;
        assert_eq!(service.err(), "");
        browser.get("/auth/csrf").await.is(200);
        browser.sign_in(PASSWORD).await.is(200);
        (service, browser)
    }
}

#[tokio::test]
async fn the_pages_service_restarts() {
    let mut redis = Redis::start().await;
    let demo = Demo::over(&redis);
    let (service, mut browser) = demo.signed_in().await;
    let service = demo.restart(service, &mut browser).await;
    let token = browser.refresh().await.is(200).access_token();
    browser.get("/api/profile").bearer(&token).await.is(200);

    // It starts before Redis, and then over one that may throw sessions away.
    redis.kill();
    let service = demo.restart(service, &mut browser).await;
    let said = service.err();
    let mut lines = said.lines();
    let warning = |line: &str| line.starts_with("WARNING: ") && line.contains("Connection refused");
    assert!(lines.any(warning), "{said}");
    is_away(&browser.refresh().await);
    redis
        .start_again(&["--maxmemory-policy", "allkeys-lru"])
        .await;
    retry_after().await;
    browser.refresh().await.is(200);
    service.reports("\nRedis answers again").await;
    let service = demo.restart(service, &mut browser).await;
    let said = service.err();
    let mut lines = said.lines();
    let warning = |line: &str| line.starts_with("WARNING: ") && line.contains("allkeys-lru");
    assert!(lines.any(warning), "{said}");
    browser.refresh().await.is(200);
}

/// With an address that cannot be one.
fn astray(name: &str, address: &str) -> Command {
    let mut command = example(name);
    command
        .env("ADDR", LOCAL)
        .env("ADDR2", LOCAL)
        .env("REDIS_URL", address);
    command
}

#[tokio::test]
async fn an_address_that_cannot_be_one_keeps_them_from_starting() {
    for name in ["demo", "redis"] {
        for address in ["nonsense", "http://app:hunter2@127.0.0.1/"] {
            let why = "REDIS_URL: must be like redis://";
            let ended = Ended::refused(&mut astray(name, address), why).await;
            // It may hold a password.
            assert!(!ended.err.contains("hunter2"), "{}", ended.err);
        }
    }
}
