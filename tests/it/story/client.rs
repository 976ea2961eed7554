//! A browser of sorts: speaks HTTP/1.1 over a socket, keeps one cookie jar, sends a `User-Agent` and
//! an `Origin`. It uses no HTTP library, so that what is asserted is what was on the wire.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub const COOKIE: &str = "__Secure-refresh_token";
pub const JAR: &str = "__Secure-refresh_token_jar";

/// One client with its own jar.
#[derive(Clone)]
pub struct Client {
    server: SocketAddr,
    pub user_agent: &'static str,
    /// The `Origin` it sends, if any.
    pub origin: Option<String>,
    /// The value of the refresh cookie, if the jar holds one.
    pub cookie: Option<String>,
    /// That of the jar cookie.
    pub jar: Option<String>,
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order of the wire.
    headers: Vec<(String, String)>,
    pub body: String,
}

/// A `Set-Cookie`, taken apart. Attribute names are in lower case.
#[derive(Clone, Debug)]
pub struct SetCookie {
    pub name: String,
    pub value: String,
    pub attributes: BTreeMap<String, Option<String>>,
}

impl Client {
    pub fn new(server: SocketAddr, user_agent: &'static str) -> Self {
        Self {
            server,
            user_agent,
            origin: Some(format!("http://{server}")),
            cookie: None,
            jar: None,
        }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn post(&mut self, path: &str) -> Answer {
        self.send("POST", path, &[], "").await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    pub async fn post_json(&mut self, path: &str, body: &Value) -> Answer {
        let header = ("Content-Type", "application/json");
        self.send("POST", path, &[header], &body.to_string()).await
    }

    /// `GET` with an access token, and without the cookie, as its path would have it.
    pub async fn get_with(&self, path: &str, token: &str) -> Answer {
        let mut bare = Self {
            cookie: None,
            jar: None,
            ..self.clone()
        };
        let value = format!("Bearer {token}");
        bare.send("GET", path, &[("Authorization", &value)], "")
            .await
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nUser-Agent: {}\r\n",
            self.server, self.user_agent
        );
        if let Some(origin) = &self.origin {
            head.push_str(&format!("Origin: {origin}\r\n"));
        }
        for (name, value) in [(COOKIE, &self.cookie), (JAR, &self.jar)] {
            if let Some(value) = value {
                head.push_str(&format!("Cookie: {name}={value}\r\n"));
            }
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));

        let mut socket = TcpStream::connect(self.server).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut wire = String::new();
        socket.read_to_string(&mut wire).await.unwrap();
        let answer = Answer::parse(&wire);
        for cookie in answer.cookies() {
            let gone = cookie.attributes.get("max-age") == Some(&Some("0".to_owned()));
            let value = (!gone).then_some(cookie.value);
            match cookie.name.as_str() {
                COOKIE => self.cookie = value,
                JAR => self.jar = value,
                other => panic!("a cookie of no layer: {other}"),
            }
        }
        answer
    }
}

impl Answer {
    fn parse(wire: &str) -> Self {
        let (head, body) = wire.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
        assert!(!chunked, "answers of known length are sent whole");
        Self {
            status: status.parse().unwrap(),
            headers,
            body: body.to_owned(),
        }
    }

    /// The one value of a header; none when it is absent. Twice is a failure.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice: {self:?}");
        value
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The cookies that it sets, each once.
    pub fn cookies(&self) -> Vec<SetCookie> {
        let lines = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        let cookies: Vec<_> = lines.map(|(_, line)| SetCookie::parse(line)).collect();
        let names: BTreeSet<_> = cookies.iter().map(|cookie| &cookie.name).collect();
        assert_eq!(names.len(), cookies.len(), "{self:?}");
        cookies
    }
}

impl SetCookie {
    fn parse(line: &str) -> Self {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let mut attributes = BTreeMap::new();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (part, None),
            };
            let repeated = attributes.insert(name.to_ascii_lowercase(), value);
            assert!(repeated.is_none(), "{name} twice: {line}");
        }
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            attributes,
        }
    }
}
