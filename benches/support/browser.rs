//! The headers of a browser.

use http::{HeaderMap, HeaderName, Request, header};

pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";

/// The headers of a request that a script makes, `Origin`, `Authorization` and their like apart.
pub fn headers(more: &[(&'static str, &str)]) -> HeaderMap {
    let lines = [
        ("host", "app.example"),
        ("user-agent", FIREFOX),
        ("accept", "application/json, text/plain, */*"),
        ("accept-language", "de,en-US;q=0.7,en;q=0.3"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("content-type", "application/json"),
        ("content-length", "57"),
        (
            "cookie",
            "__Secure-refresh_token=v1.Zk3J8qLxR2uV0wYt5aBcDg; theme=dark",
        ),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().chain(more) {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    headers
}

/// A request of such a script, with a token or without.
pub fn get(token: Option<&str>) -> Request<()> {
    let mut request = Request::get("/profile").body(()).unwrap();
    *request.headers_mut() = headers(&[]);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request
}
