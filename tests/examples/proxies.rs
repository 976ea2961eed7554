//! The demo behind a real nginx and a real HAProxy, as browsers use it there.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;
use url::Url;

use crate::support::{Ask, Browser, PASSWORD, Program, Proxy, READY, Upstream, example};

const SITE: &str = "sec-fetch-site";

/// The demo, the proxy in front of it, and a browser that knows nothing but the proxy.
struct Place {
    browser: Browser,
    /// The path of the page, which ends with a slash.
    page: &'static str,
    demo: Program,
    proxy: Proxy,
}

impl Place {
    /// With these settings of the demo.
    async fn behind(proxy: Proxy, page: &'static str, settings: &[(&str, &str)]) -> Self {
        let mut command = example("demo");
        command
            .env("ADDR", proxy.service())
            .envs(settings.iter().copied());
        Self {
            browser: proxy.browser(),
            page,
            demo: Program::start(&mut command, READY).await,
            proxy,
        }
    }

    /// The browser opens an address, and names no page that it comes from.
    fn open(&mut self) -> Ask<'_> {
        self.browser
            .get(self.page)
            .without("origin")
            .header(SITE, "none")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
    }

    /// The page asks its own server, as its script or for a part of itself.
    fn ask(&mut self, method: Method, path: &str) -> Ask<'_> {
        let page = format!("{}{}", self.browser.url, self.page);
        let path = Url::parse(&page).unwrap().join(path).unwrap();
        let get = method == Method::GET;
        let ask = self
            .browser
            .ask(method, path.path())
            .header(SITE, "same-origin")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty")
            .header("referer", &page);
        // Browsers leave the origin out here.
        if get { ask.without("origin") } else { ask }
    }

    fn post(&mut self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    fn get(&mut self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    async fn profile(&mut self, token: &str) {
        let profile = self.get("api/profile").bearer(token).await;
        profile.is(200).says("dev@example.com");
    }

    /// The page loads, with its style, its script, and what that imports.
    async fn loads(&mut self) {
        let page = self.open().await;
        page.is(200).has("content-type", "text/html");
        let mut loaded = BTreeSet::new();
        let mut named = names("", &page.body);
        while let Some(name) = named.pop() {
            if loaded.insert(name.clone()) {
                named.extend(names(&name, &self.get(&name).await.is(200).body));
            }
        }
        assert!(loaded.contains("tower-bearer/index.js"), "{loaded:?}");
        assert!(loaded.len() > 12, "{loaded:?}");
    }

    async fn signs_in(&mut self) -> String {
        self.get("auth/csrf").await.is(200);
        let form = json!({ "email": "dev@example.com", "password": PASSWORD });
        let started = self.post("auth/login").json(&form).await;
        started.is(200).access_token()
    }

    /// From the first visit to the end of the session.
    async fn works(&mut self) {
        self.loads().await;
        let first = self.signs_in().await;
        self.profile(&first).await;
        // Reloaded: the cookie alone brings the session back.
        self.loads().await;
        let second = self.post("auth/refresh").await.is(200).access_token();
        assert_ne!(second, first);
        self.profile(&second).await;
        let sessions = self.get("auth/sessions").await;
        sessions.is(200).says(r#""current":true"#);

        self.is_guarded().await;

        self.post("auth/refresh").await.is(200);
        let left = self.browser.jar.clone();
        self.post("auth/logout").await.is(204);
        self.post("auth/refresh").await.is(401);
        // A copy of what the browser had is worth nothing.
        self.browser.jar = left;
        self.post("auth/refresh").await.is(401);
    }

    /// Requests of pages elsewhere with the user's cookies are refused. They have the right CSRF token, which such a
    /// page does not have. So the origin is the only reason.
    async fn is_guarded(&mut self) {
        let service = format!("http://{}", self.proxy.service());
        for (site, origin) in [
            ("cross-site", "https://evil.example"),
            ("same-site", "https://sibling.app.example"),
            // Proxies make `Host` one of these, which then is not the browser's address.
            ("same-site", &service),
            ("cross-site", "http://internal.example"),
            ("cross-site", "null"),
        ] {
            for path in ["auth/refresh", "auth/logout"] {
                let ask = self.post(path).header(SITE, site);
                let page = format!("{origin}/");
                let ask = ask.header("origin", origin).header("referer", &page);
                refused(ask, &format!("{site} {origin}")).await;
            }
        }
        for site in ["cross-site", "same-site"] {
            let ask = self.post("auth/refresh").header(SITE, site);
            refused(ask.without("origin").without("referer"), site).await;
        }
        // Nothing says where it comes from, and it has a cookie.
        let ask = self.post("auth/refresh").without(SITE);
        refused(ask.without("origin").without("referer"), "nothing").await;
    }
}

/// The paths of the files that the page or script at `path` names. Comments name files for a compiler.
fn names(path: &str, text: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_comment = |line: &str| line.starts_with("/*") || line.starts_with('*');
    let code = text.lines().filter(|line| !is_comment(line.trim_start()));
    let is_file = |text: &&str| text.ends_with(".js") || text.ends_with(".css");
    code.flat_map(|line| line.split('"').filter(is_file))
        .map(|name| match (folder, name.trim_start_matches("./")) {
            ("", name) => name.to_owned(),
            (folder, name) => format!("{folder}/{name}"),
        })
        .collect()
}

async fn refused(ask: Ask<'_>, why: &str) {
    let answer = ask.await;
    assert!(answer.has_status(403), "{why}: {answer:?}");
    answer
        .has("vary", "Origin, Sec-Fetch-Site")
        .lacks("set-cookie", "");
}

const NGINX: &str = "location / { proxy_pass http://127.0.0.1:3000; }";
const HAPROXY: &str = "server demo 127.0.0.1:3000";

const NGINX_OTHER_HOST: &str = "location / {
  proxy_set_header Host internal.example;
  proxy_pass http://127.0.0.1:3000;
}";
const HAPROXY_OTHER_HOST: &str = "http-request set-header Host internal.example
  server demo 127.0.0.1:3000";

const NGINX_BELOW_A_PATH: &str = "location /app/ { proxy_pass http://127.0.0.1:3000/; }";
const HAPROXY_BELOW_A_PATH: &str = r"http-request replace-path /app/(.*) /\1
  server demo 127.0.0.1:3000";

const NGINX_ENDS_TLS: &str = "location / {
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_pass http://127.0.0.1:3000;
}";
const HAPROXY_ENDS_TLS: &str = "http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
  server demo 127.0.0.1:3000";

#[tokio::test]
async fn nginx_as_it_comes() {
    let proxy = Proxy::nginx(NGINX).await;
    Place::behind(proxy, "/", &[]).await.works().await;
}

#[tokio::test]
async fn haproxy_as_it_comes() {
    let proxy = Proxy::haproxy(HAPROXY).await;
    Place::behind(proxy, "/", &[]).await.works().await;
}

#[tokio::test]
async fn nginx_that_names_another_host() {
    let proxy = Proxy::nginx(NGINX_OTHER_HOST).await;
    Place::behind(proxy, "/", &[]).await.works().await;
}

#[tokio::test]
async fn haproxy_that_names_another_host() {
    let proxy = Proxy::haproxy(HAPROXY_OTHER_HOST).await;
    Place::behind(proxy, "/", &[]).await.works().await;
}

/// The proxy takes a prefix off, which the cookie's path needs.
async fn below_a_path(proxy: Proxy) {
    let mut place = Place::behind(proxy, "/app/", &[("PUBLIC_PATH", "/app")]).await;
    place.works().await;
    place.signs_in().await;
    let cookies = |path| place.browser.cookies(path).unwrap_or_default();
    assert!(cookies("/app/auth/refresh").contains("refresh_token="));
    for elsewhere in ["/", "/auth/refresh", "/app/", "/app/api/profile"] {
        assert!(!cookies(elsewhere).contains("refresh_token="));
    }
}

#[tokio::test]
async fn nginx_that_takes_a_prefix_off() {
    below_a_path(Proxy::nginx(NGINX_BELOW_A_PATH).await).await;
}

#[tokio::test]
async fn haproxy_that_takes_a_prefix_off() {
    below_a_path(Proxy::haproxy(HAPROXY_BELOW_A_PATH).await).await;
}

/// The proxy ends TLS, and says so in a header that clients cannot write.
async fn ends_tls(proxy: Proxy) {
    const HEADER: &str = "x-forwarded-proto";
    let mut place = Place::behind(proxy, "/", &[("TRUSTED_PROTO_HEADER", HEADER)]).await;
    place.works().await;
    place
        .open()
        .header(HEADER, "http")
        .await
        .is(200)
        .has("strict-transport-security", "max-age=");
    place.get("auth/csrf").await.is(200);
    let form = json!({ "email": "dev@example.com", "password": PASSWORD });
    let started = place.post("auth/login").json(&form).await;
    started
        .is(200)
        .has("set-cookie", "__Host-csrf=*Secure*Path=/")
        .has("set-cookie", "__Secure-refresh_token=*Secure*Path=/auth");
    // The way past the proxy is no way in: nothing says there that it is https.
    let mut direct = Browser::new(place.demo.url(0));
    direct.get("/").await.is(403);
}

#[tokio::test]
async fn nginx_that_ends_tls() {
    ends_tls(Proxy::nginx_with_tls(NGINX_ENDS_TLS).await).await;
}

#[tokio::test]
async fn haproxy_that_ends_tls() {
    ends_tls(Proxy::haproxy_with_tls(HAPROXY_ENDS_TLS).await).await;
}

/// The client speaks plain http to the same proxy, and claims that it speaks https.
async fn lies_about_https(proxy: Proxy) {
    const HEADER: &str = "x-forwarded-proto";
    let mut place = Place::behind(proxy, "/", &[("TRUSTED_PROTO_HEADER", HEADER)]).await;
    // The proxy takes no part in this: the demo believes the header.
    let mut direct = Browser::new(place.demo.url(0));
    direct.get("/").header(HEADER, "https").await.is(200);

    for lie in ["https", "wss", "HTTPS"] {
        for path in ["", "auth/csrf", "api/profile"] {
            place.get(path).header(HEADER, lie).await.is(403);
        }
        let form = json!({ "email": "dev@example.com", "password": PASSWORD });
        let login = place.post("auth/login").header(HEADER, lie).json(&form);
        let refused = login.await;
        refused.is(403).lacks("set-cookie", "");
        refused.lacks("strict-transport-security", "");
    }
}

#[tokio::test]
async fn nginx_overwrites_a_lie_about_https() {
    lies_about_https(Proxy::nginx(NGINX_ENDS_TLS).await).await;
}

#[tokio::test]
async fn haproxy_overwrites_a_lie_about_https() {
    lies_about_https(Proxy::haproxy(HAPROXY_ENDS_TLS).await).await;
}

/// A browser sends no `Sec-Fetch-Site`: Safari before 16.4, or any on plain http to another machine.
async fn without_sec_fetch_site(proxy: Proxy, list: bool, works: bool) {
    let url = proxy.url();
    let settings: &[_] = match list {
        true => &[("ALLOWED_ORIGINS", url.as_str())],
        false => &[],
    };
    let mut place = Place::behind(proxy, "/", settings).await;
    place.signs_in().await;
    let old = place.post("auth/refresh").without(SITE);
    match works {
        true => _ = old.await.is(200),
        false => refused(old, "another host").await,
    }
    place.is_guarded().await;
}

/// Such a browser is known by `Host` or by a list.
#[tokio::test]
async fn browsers_without_sec_fetch_site() {
    const NGINX_KEEPS_HOST: &str = "location / {
      proxy_set_header Host $http_host;
      proxy_pass http://127.0.0.1:3000;
    }";
    for (proxy, list, works) in [
        (Proxy::nginx(NGINX).await, false, false),
        (Proxy::nginx(NGINX).await, true, true),
        (Proxy::nginx(NGINX_KEEPS_HOST).await, false, true),
        (Proxy::haproxy(HAPROXY).await, false, true),
        (Proxy::haproxy(HAPROXY_OTHER_HOST).await, false, false),
        (Proxy::haproxy(HAPROXY_OTHER_HOST).await, true, true),
    ] {
        without_sec_fetch_site(proxy, list, works).await;
    }
}

/// The head that the service gets of a page's request, without what the page has sent alike.
async fn sends(proxy: Proxy) -> (Proxy, Vec<String>) {
    let upstream = Upstream::behind(&proxy);
    let mut browser = proxy.browser();
    let sent = [
        ("cookie", "a=b; c=d"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
        (SITE, "cross-site"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
    ];
    let mut ask = browser.post("/a%2fb?c").without("user-agent");
    for (name, value) in sent {
        ask = ask.header(name, value);
    }
    ask.await.is(204);
    let mut head = upstream.head();
    for (name, value) in sent {
        let line = format!("{name}: {value}");
        let count = head.len();
        head.retain(|found| *found != line);
        assert_eq!(head.len() + 1, count, "{line}: {head:?}");
    }
    (proxy, head)
}

/// nginx sends all that the browser has sent, but its service's address as `Host`, over HTTP/1.0.
#[tokio::test]
async fn the_headers_of_nginx() {
    let (proxy, head) = sends(Proxy::nginx(NGINX).await).await;
    let host = format!("host: {}", proxy.service());
    assert_eq!(head, ["connection: close", &host, "post /a%2fb?c http/1.0"]);
    let (_, head) = sends(Proxy::nginx(NGINX_OTHER_HOST).await).await;
    assert!(
        head.contains(&"host: internal.example".to_owned()),
        "{head:?}"
    );
    let (proxy, head) = sends(Proxy::nginx_with_tls(NGINX).await).await;
    let host = format!("host: {}", proxy.service());
    assert_eq!(head, ["connection: close", &host, "post /a%2fb?c http/1.0"]);
}

/// HAProxy sends all that the browser has sent, `Host` too.
#[tokio::test]
async fn the_headers_of_haproxy() {
    let (proxy, head) = sends(Proxy::haproxy(HAPROXY).await).await;
    let host = |proxy: &Proxy| format!("host: {}", proxy.url().split_once("//").unwrap().1);
    assert_eq!(head, [&host(&proxy), "post /a%2fb?c http/1.1"]);
    let (_, head) = sends(Proxy::haproxy(HAPROXY_OTHER_HOST).await).await;
    assert!(
        head.contains(&"host: internal.example".to_owned()),
        "{head:?}"
    );
    let (proxy, head) = sends(Proxy::haproxy_with_tls(HAPROXY).await).await;
    assert_eq!(head, [&host(&proxy), "post /a%2fb?c http/1.1"]);
}
