//! Typed claims in one allocation.

use std::sync::Arc;

use super::{Refused, dates::Dates, scan, unusual};

/// The rules for the claims.
pub struct Rules {
    pub issuer: String,
    pub audience: String,
    /// Seconds.
    pub leeway: u64,
    /// How the issuer's own claims begin. A text that begins so need not be read member by member.
    pub preamble: String,
}

/// Where a claim lies in the text. Nothing lies at `0..0`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// Where all of them lie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spans {
    pub issuer: Span,
    pub subject: Span,
    pub session: Span,
    pub token_id: Span,
    pub scope: Span,
}

/// The claims of a verified token. A clone shares the memory.
#[derive(Clone, Debug)]
pub struct Claims {
    text: Arc<str>,
    spans: Spans,
    dates: Dates,
}

impl Rules {
    pub fn new(issuer: &str, audience: &str, leeway: u64) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            leeway,
            preamble: format!(r#"{{"iss":"{issuer}","aud":"{audience}""#),
        }
    }
}

impl Claims {
    /// Reads claims that are authentic, and judges them as of `now`.
    pub fn read(text: &str, rules: &Rules, now: u64) -> Result<Self, Refused> {
        let Some(usual) = scan::read(text, rules) else {
            return unusual::read(text, rules, now);
        };
        let (spans, dates) = usual?;
        Self::judge(text, spans, dates, rules, now)
    }

    /// Judges the rest when issuer and audience have been judged.
    pub fn judge(
        text: &str,
        spans: Spans,
        dates: Dates,
        rules: &Rules,
        now: u64,
    ) -> Result<Self, Refused> {
        if spans.subject.start == spans.subject.end {
            return Err(Refused);
        }
        dates.check(rules.leeway, now)?;
        Ok(Self {
            text: text.into(),
            spans,
            dates,
        })
    }

    fn text(&self, span: Span) -> &str {
        let text = self.text.get(span.start as usize..span.end as usize);
        text.unwrap_or_default()
    }

    pub fn issuer(&self) -> &str {
        self.text(self.spans.issuer)
    }

    pub fn subject(&self) -> &str {
        self.text(self.spans.subject)
    }

    pub fn session(&self) -> &str {
        self.text(self.spans.session)
    }

    pub fn token_id(&self) -> &str {
        self.text(self.spans.token_id)
    }

    pub fn scope(&self) -> &str {
        self.text(self.spans.scope)
    }

    pub fn expires_at(&self) -> u64 {
        self.dates.expires_at
    }
}
