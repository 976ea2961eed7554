//! The protected header of a token, when its bytes are not those a configured key writes itself.

use std::borrow::Cow;

use super::{
    TokenError, TokenErrorKind,
    json::{Fault, Reader, distinct, once},
};
use crate::keys::{Epk, WrapHeader};

/// The parameters that are read of a header. The codec trusts nothing in it. It compares `alg` and `enc` with those of
/// the configured key. `kid` only selects among configured keys. Parameters that bring a key along (`jwk`, `jku`,
/// `x5u`, `x5c`) are not read.
#[derive(Default)]
pub(super) struct Header<'a> {
    alg: Option<Cow<'a, str>>,
    pub(super) enc: Option<Cow<'a, str>>,
    pub(super) kid: Option<Cow<'a, str>>,
    pub(super) typ: Option<Cow<'a, str>>,
    pub(super) cty: Option<Cow<'a, str>>,
    pub(super) zip: bool,
    /// Whether an extension has to be understood.
    extension: bool,
    epk: Option<&'a str>,
    apu: Option<&'a str>,
    apv: Option<&'a str>,
}

impl<'a> Header<'a> {
    /// Reads the decoded header. Extensions that must be understood are refused, because none is (RFC 7515 section
    /// 4.1.11). So is an unencoded payload (RFC 7797 section 7).
    pub(super) fn read(&mut self, bytes: &'a [u8]) -> Result<(), TokenError> {
        let fault = |detail: Fault| TokenError::new(TokenErrorKind::Header, detail);
        let text = std::str::from_utf8(bytes).map_err(|_| fault("the header is not utf-8"))?;
        let mut others: Vec<Cow<'a, str>> = Vec::new();
        Reader::new(text)
            .only_object(|reader, name| self.member(reader, name, &mut others))
            .and_then(|()| distinct(&others, |name| name))
            .map_err(fault)?;
        if self.extension {
            return Err(TokenError::new(
                TokenErrorKind::HeaderParameter,
                "crit or b64 asks for an extension, and none is understood here",
            ));
        }
        if self.kid.as_deref() == Some("") {
            return Err(fault("the kid is empty"));
        }
        match self.alg {
            Some(_) => Ok(()),
            None => Err(fault("the header has no alg")),
        }
    }

    /// Reads the value of the member `name`; names it does not know go to `others`.
    #[inline(always)]
    fn member(
        &mut self,
        reader: &mut Reader<'a>,
        name: Cow<'a, str>,
        others: &mut Vec<Cow<'a, str>>,
    ) -> Result<(), Fault> {
        let (known, wrong) = match name.as_ref() {
            "alg" => (&mut self.alg, "alg is not a string"),
            "kid" => (&mut self.kid, "kid is not a string"),
            "typ" => (&mut self.typ, "typ is not a string"),
            "enc" => (&mut self.enc, "enc is not a string"),
            "cty" => (&mut self.cty, "cty is not a string"),
            "epk" => return once(&mut self.epk, reader.value()?),
            "apu" => return once(&mut self.apu, reader.value()?),
            "apv" => return once(&mut self.apv, reader.value()?),
            other => {
                self.zip |= other == "zip";
                self.extension |= matches!(other, "crit" | "b64");
                reader.value()?;
                others.push(name);
                return Ok(());
            }
        };
        // null is not absence.
        match reader.peek() {
            Some(b'"') => once(known, reader.string()?),
            _ => Err(wrong),
        }
    }

    /// The algorithm; empty before the header is read.
    pub(super) fn alg(&self) -> &str {
        self.alg.as_deref().unwrap_or_default()
    }

    /// The parameters of key agreement, read only for a key that needs them.
    pub(super) fn wrap(&self) -> Result<WrapHeader<'a>, TokenError> {
        const FAULT: TokenError = TokenError::new(
            TokenErrorKind::Header,
            "epk, apu or apv is not what key agreement needs",
        );
        let text = |raw: Option<&'a str>| {
            raw.map(|raw| serde_json::from_str::<String>(raw).map(Cow::Owned))
                .transpose()
                .map_err(|_| FAULT)
        };
        if (self.epk, self.apu, self.apv) == (None, None, None) {
            return Ok(WrapHeader::default());
        }
        Ok(WrapHeader {
            epk: self
                .epk
                .map(serde_json::from_str::<Epk<'a>>)
                .transpose()
                .map_err(|_| FAULT)?,
            apu: text(self.apu)?,
            apv: text(self.apv)?,
        })
    }
}

/// Whether `value` names the media type `expected`: in any case, with or without `application/`
/// (RFC 7515 section 4.1.9).
pub(super) fn same_media_type(value: &str, expected: &str) -> bool {
    value == expected || short_media_type(value).eq_ignore_ascii_case(short_media_type(expected))
}

fn short_media_type(value: &str) -> &str {
    const PREFIX: &str = "application/";
    match value.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(json: &str) -> Option<TokenErrorKind> {
        let read = Header::default().read(json.as_bytes());
        read.err().map(|e| e.kind())
    }

    #[test]
    fn parameters_that_identify_a_key_are_read() {
        let json = br#"{"\u0061lg":"ES256","kid":"k\n","jwk":{"kty":"oct"},"x5c":[1],"zip":"DEF"}"#;
        let mut header = Header::default();
        header.read(json).unwrap();
        assert_eq!(header.alg(), "ES256");
        assert_eq!(header.kid.as_deref(), Some("k\n"));
        assert!(header.zip && header.typ.is_none());
    }

    #[test]
    fn malformed_headers_are_refused() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"alg":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"alg":"HS256","x":1,"x":1}"#,
            r#"{"alg":"HS256","kid":""}"#,
            r#"{"alg":"HS256","kid":null}"#,
            r#"{"alg":"HS256","typ":1}"#,
            r#"{"alg":"HS256"}{}"#,
        ] {
            assert_eq!(kind(json), Some(TokenErrorKind::Header), "{json}");
        }
        assert_eq!(
            Header::default()
                .read(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}")
                .err()
                .map(|e| e.kind()),
            Some(TokenErrorKind::Header)
        );
    }

    #[test]
    fn extensions_are_refused_whatever_they_say() {
        for json in [
            r#"{"alg":"HS256","crit":[]}"#,
            r#"{"alg":"HS256","crit":null}"#,
            r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"HS256","b64":true}"#,
            r#"{"alg":"HS256","b6\u0034":false}"#,
        ] {
            assert_eq!(kind(json), Some(TokenErrorKind::HeaderParameter), "{json}");
        }
    }

    #[test]
    fn media_types_ignore_case_and_the_common_prefix() {
        for value in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/AT+jwt",
        ] {
            assert!(same_media_type(value, "at+jwt"), "{value}");
        }
        for value in [
            "",
            "jwt",
            "application/",
            "at+jwt ",
            "text/at+jwt",
            "application/at+jwt/x",
        ] {
            assert!(!same_media_type(value, "at+jwt"), "{value}");
        }
    }
}
