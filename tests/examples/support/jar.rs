//! The cookies of a browser, for one host.

use cookie::{Cookie, time::Duration};
use http::header::{HeaderMap, SET_COOKIE};

/// Cookies by name and path. `Secure` ones are sent to the examples' plain http, as browsers do to this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(Vec<Cookie<'static>>);

impl Jar {
    /// Takes what an answer sets, and forgets what it clears.
    pub(crate) fn keep(&mut self, answer: &HeaderMap) {
        for line in answer.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap().to_owned();
            let new = Cookie::parse(line).unwrap();
            self.0
                .retain(|old| (old.name(), old.path()) != (new.name(), new.path()));
            if new.max_age() != Some(Duration::ZERO) {
                self.0.push(new);
            }
        }
    }

    /// The value of the cookie, whatever its path.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let cookie = self.0.iter().find(|cookie| cookie.name() == name)?;
        Some(cookie.value())
    }

    /// Puts another value into a cookie that is there.
    pub(crate) fn replace(&mut self, name: &str, value: &str) {
        let cookie = self.0.iter_mut().find(|cookie| cookie.name() == name);
        cookie.expect("the cookie").set_value(value.to_owned());
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The header `Cookie` for a request to this path.
    pub(crate) fn header(&self, path: &str) -> Option<String> {
        let path = path.split('?').next().unwrap_or_default();
        let cookies = self.0.iter().filter(|cookie| {
            let reach = cookie.path().unwrap_or("/").trim_end_matches('/');
            let rest = path.strip_prefix(reach);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let pairs: Vec<_> = cookies
            .map(|cookie| cookie.stripped().to_string())
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[test]
fn cookies_go_where_their_path_says_until_they_are_cleared() {
    let mut jar = Jar::default();
    let mut keep = |line: &'static str| {
        jar.keep(&HeaderMap::from_iter([(SET_COOKIE, line.parse().unwrap())]));
        ["/", "/auth", "/auth/refresh?a=/b", "/author"].map(|path| jar.header(path))
    };
    let [some, both] = ["a=1", "a=1; b=2"].map(|pairs| Some(pairs.to_owned()));
    assert_eq!(
        keep("a=0; Path=/; Secure"),
        [(); 4].map(|()| Some("a=0".to_owned()))
    );
    keep("a=1; Path=/");
    let sent = keep("b=2; Path=/auth");
    assert_eq!(sent, [some.clone(), both.clone(), both, some.clone()]);
    let sent = keep("b=; Path=/auth; Max-Age=0");
    assert_eq!(sent, [(); 4].map(|()| some.clone()));
}
