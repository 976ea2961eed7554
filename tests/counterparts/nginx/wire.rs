//! HTTP/1.1 as it is written, so that a header may stand twice and say anything.

use std::fmt::Write;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A request.
pub(super) struct Ask(String, bool);

/// The answer to one.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Ask {
    /// `POST` sends five bytes, those of an empty gRPC message.
    pub(super) fn new(method: &str, path: &str) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        Self(head, method == "POST")
    }

    pub(super) fn line(mut self, line: &str) -> Self {
        let _ = write!(self.0, "{line}\r\n");
        self
    }

    pub(super) fn lines(self, lines: &[String]) -> Self {
        lines.iter().fold(self, |ask, line| ask.line(line))
    }

    pub(super) fn content_type(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.line(&format!("Content-Type: {value}")),
            None => self,
        }
    }

    /// Sends it, and reads until the server ends the connection.
    pub(super) async fn on(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Answer {
        let Self(mut bytes, posts) = self;
        let end = if posts {
            "Content-Length: 5\r\n\r\n\0\0\0\0\0"
        } else {
            "\r\n"
        };
        bytes.push_str(end);
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        let text = String::from_utf8(read).unwrap();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        Answer {
            status: status.unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Whether `text` stands anywhere in it.
    pub(super) fn has(&self, text: &str) -> bool {
        self.head.contains(text) || self.body.contains(text)
    }
}
