//! The beginning of the claims that a codec mints.

use std::{borrow::Cow, ops::Range};

/// `{"iss":"…","aud":"…"`, with what is configured. Claims that begin with the very same bytes need
/// not be read member by member.
#[derive(Clone, Default)]
pub(in crate::token) struct Preamble {
    text: String,
    /// The members that are known by their bytes, from the beginning on.
    known: usize,
    issuer: Option<Known>,
    audience: Option<Known>,
}

/// A value of the beginning.
#[derive(Clone)]
struct Known {
    value: String,
    /// Where it lies in the text, unless it is escaped there.
    place: Option<Range<usize>>,
}

impl Preamble {
    /// `claim` is the one that names audiences. Another than `aud` is the application's, too, so it is
    /// written here and read in the general way.
    pub(in crate::token) fn new(
        issuer: Option<&String>,
        audience: Option<&String>,
        claim: &str,
    ) -> Self {
        let mut new = Self {
            text: String::from("{"),
            ..Self::default()
        };
        new.issuer = issuer.map(|issuer| new.push("iss", issuer));
        new.known = new.text.len();
        let known = audience.map(|audience| new.push(claim, audience));
        if claim == "aud" {
            new.audience = known;
            new.known = new.text.len();
        }
        new
    }

    fn push(&mut self, name: &str, value: &str) -> Known {
        let comma = if self.text.len() > 1 { "," } else { "" };
        let (name, json) = (
            serde_json::Value::from(name),
            serde_json::Value::from(value),
        );
        self.text.push_str(&format!("{comma}{name}:{json}"));
        // Before the closing quote.
        let end = self.text.len() - 1;
        let place = end.saturating_sub(value.len())..end;
        let plain = self.text.get(place.clone()) == Some(value);
        Known {
            value: value.to_owned(),
            place: plain.then_some(place),
        }
    }

    /// An open object, with members or without.
    pub(in crate::token) fn as_str(&self) -> &str {
        &self.text
    }

    /// The part that is known by its bytes, where `claims` begin with it and it says anything.
    pub(super) fn of(&self, claims: &str) -> Option<&str> {
        let says = self.issuer.is_some() || self.audience.is_some();
        let known = self.text.get(..self.known).filter(|_| says)?;
        claims.starts_with(known).then_some(known)
    }

    /// The issuer that `claims` name, which begin with it: where it lies there, unless it is escaped.
    pub(super) fn issuer<'a>(&'a self, claims: &'a str) -> Option<Cow<'a, str>> {
        self.issuer.as_ref()?.of(claims)
    }

    /// The audience, likewise.
    pub(super) fn audience<'a>(&'a self, claims: &'a str) -> Option<Cow<'a, str>> {
        self.audience.as_ref()?.of(claims)
    }
}

impl Known {
    fn of<'a>(&'a self, claims: &'a str) -> Option<Cow<'a, str>> {
        match &self.place {
            Some(place) => claims.get(place.clone()).map(Cow::Borrowed),
            None => Some(Cow::Borrowed(&self.value)),
        }
    }
}
