//! Several codecs side by side, and which of them judges a token.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::de::DeserializeOwned;

use super::{
    Claims, NoClaims, Setting, TokenCodec, TokenError, TokenErrorKind,
    base64::Scratch,
    codec::Profile,
    compact::{Encrypted, Signed},
    json::Reader,
};
use crate::{clock::Timestamp, config::ConfigError};

const OTHER_ISSUER: TokenError = TokenError::curable(
    TokenErrorKind::Issuer,
    "iss names an issuer of no codec: compare them letter by letter",
    Setting::Issuer,
);

const NO_ISSUER: TokenError = TokenError::new(TokenErrorKind::Issuer, "iss is missing, or no text");

/// One codec, or several of different issuers, for one [`BearerAuthLayer`](crate::BearerAuthLayer).
///
/// Each issuer has a codec of its own: with its keys, audience, algorithms, leeway, clock and cache. With one
/// codec nothing is looked at before it verifies. With several, the *unverified* `iss` of a token says which
/// codec judges it, and nothing else. That codec then verifies the whole token by its own rules and with its own
/// keys, `iss` included. So the keys of one issuer never vouch for another (RFC 8725 section 3.8).
///
/// A token of three segments goes to the codec that accepts its `iss`. One of five segments goes to the one codec that
/// decrypts. Where none fits, the refusal is [`TokenErrorKind::Issuer`] or [`TokenErrorKind::Segments`]. While an
/// issuer is away, tokens that name it are answered 503, forged ones too. Tokens of the others go on.
///
/// All codecs read the same claims type. Members that one issuer lacks are `Option`s there.
///
/// ```
/// use tower_bearer::{BearerAuthLayer, KeyRing, NoClaims, TokenCodec, TokenErrorKind, Verifiers};
///
/// let of = |issuer: &str| {
///     TokenCodec::<NoClaims>::signed(&KeyRing::generate()?)
///         .issuer(issuer)
///         .audience("orders")
///         .build()
/// };
/// let (staff, partners) = (of("https://staff.example")?, of("https://partners.example")?);
/// let token = partners.mint("user-1", &NoClaims {})?;
///
/// let verifiers = Verifiers::new([staff.clone(), partners])?;
/// assert_eq!(verifiers.verify(token.as_str())?.issuer(), Some("https://partners.example"));
/// let layer = BearerAuthLayer::new(verifiers);
///
/// // With one codec there is nothing to choose.
/// let refused = Verifiers::from(staff).verify(token.as_str()).unwrap_err();
/// assert_eq!(refused.kind(), TokenErrorKind::Key);
/// # let _ = layer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifiers<C = NoClaims> {
    /// The only one, or the first.
    first: TokenCodec<C>,
    others: Box<[TokenCodec<C>]>,
    max_token_bytes: usize,
}

impl<C> Verifiers<C> {
    /// Puts codecs of different issuers side by side.
    ///
    /// # Errors
    ///
    /// When there is none, or two accept the same issuer or share a key ring. Also when one of several accepts every
    /// issuer, or more than one decrypts.
    pub fn new(codecs: impl IntoIterator<Item = TokenCodec<C>>) -> Result<Self, ConfigError> {
        let wrong = |problem: &'static str| Err(ConfigError::new("verifiers", problem));
        let mut codecs = codecs.into_iter();
        let Some(first) = codecs.next() else {
            return wrong("must be one codec at least: without any, every token would be refused");
        };
        let verifiers = Self {
            others: codecs.collect(),
            ..Self::from(first)
        };
        if verifiers.others.is_empty() {
            return Ok(verifiers);
        }
        let mut issuers = Vec::new();
        for codec in verifiers.codecs() {
            match &codec.config.rules.issuers {
                Some(accepted) => issuers.extend(accepted.iter().collect::<BTreeSet<_>>()),
                None => {
                    return wrong(
                        "one accepts every issuer, and `iss` chooses between them: give each its .issuer(...)",
                    );
                }
            }
        }
        issuers.sort_unstable();
        if let Some([twice, _]) = issuers.array_windows().find(|[a, b]| a == b) {
            return Err(ConfigError::about(
                "verifiers",
                twice,
                "is accepted by two codecs: `iss` chooses between them, so each has issuers of its own",
            ));
        }
        if verifiers.share_keys() {
            return wrong(
                "two codecs share one key ring, so that the keys of one issuer would vouch for the other. Each has \
                 keys of its own. For another name of the same issuer use .also_issuer(...)",
            );
        }
        if verifiers.codecs().filter(|c| c.decrypts()).count() > 1 {
            return wrong(
                "two decrypt, and an encrypted token does not show its issuer. One nested or encrypted codec can \
                 stand beside signed ones",
            );
        }
        let longest = verifiers.codecs().map(TokenCodec::max_token_bytes).max();
        Ok(Self {
            max_token_bytes: longest.unwrap_or(verifiers.max_token_bytes),
            ..verifiers
        })
    }

    fn codecs(&self) -> impl Iterator<Item = &TokenCodec<C>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether two codecs verify with the keys of one ring.
    fn share_keys(&self) -> bool {
        let shared = |(at, codec): (usize, &TokenCodec<C>)| {
            let mut others = self.codecs().skip(at + 1);
            others.any(|other| other.keys().is_same_as(codec.keys()))
        };
        self.codecs().enumerate().any(shared)
    }

    /// The only codec, or the first.
    pub(crate) fn first(&self) -> &TokenCodec<C> {
        &self.first
    }

    /// The longest token that any of them accepts, in bytes. Each keeps its own limit.
    pub(crate) fn max_token_bytes(&self) -> usize {
        self.max_token_bytes
    }

    /// The codec that judges `token`. It has found nothing to be true yet.
    #[inline]
    pub(crate) fn judge(&self, token: &[u8]) -> Result<&TokenCodec<C>, TokenError> {
        match self.others.is_empty() {
            true => Ok(&self.first),
            false => self.choose(token),
        }
    }

    /// Reads no more of `token` than which codec it is for. Whatever it says is the sender's claim alone.
    fn choose(&self, token: &[u8]) -> Result<&TokenCodec<C>, TokenError> {
        if token.len() > self.max_token_bytes {
            return Err(TokenError::TOO_LARGE);
        }
        if let Some(parts) = Signed::split(token) {
            let mut scratch = Scratch::new();
            let issuer = unverified_issuer(parts.payload, &mut scratch)?;
            let chosen = self.codecs().find(|codec| codec.accepts_issuer(&issuer));
            return chosen.ok_or(OTHER_ISSUER);
        }
        let chosen = Encrypted::split(token).and_then(|_| self.codecs().find(|c| c.decrypts()));
        chosen.ok_or(TokenError::new(
            TokenErrorKind::Segments,
            "the number of segments is that of no codec. An opaque token is for its issuer alone: ask that for a \
             JWT",
        ))
    }

    /// The log's text for a token that is for none of them.
    pub(crate) fn expectation(&self, kind: TokenErrorKind) -> Option<String> {
        if kind != TokenErrorKind::Issuer {
            return None;
        }
        let issuers = self.codecs().flat_map(|c| c.config.rules.issuers.iter());
        let issuers: Vec<_> = issuers.flatten().map(String::as_str).collect();
        Some(format!(
            "the access token is not acceptable: no codec is for its issuer. For another name of an issuer use \
             .also_issuer(...), for another issuer one more codec in Verifiers. The claim iss has to be `{}`",
            issuers.join("` or `")
        ))
    }

    /// The log's text for a token that `codec` refuses. Of several codecs it names the issuer whose keys are meant.
    pub(crate) fn expectation_of(
        &self,
        codec: &TokenCodec<C>,
        kind: TokenErrorKind,
    ) -> Option<String> {
        let issuer = codec.issuer();
        match kind {
            _ if self.others.is_empty() => codec.expectation(kind),
            TokenErrorKind::KeysUnavailable => Some(format!(
                "the keys of `{issuer}` to verify the access token with are unavailable"
            )),
            TokenErrorKind::Key | TokenErrorKind::Signature => Some(format!(
                "the access token is not acceptable by the keys of `{issuer}`"
            )),
            _ => codec.expectation(kind),
        }
    }
}

impl<C: DeserializeOwned> Verifiers<C> {
    /// Verifies `token` with the codec that is for it, by that codec's clock.
    ///
    /// # Errors
    ///
    /// See [`TokenErrorKind`]. The reason is for logs; a client gets `invalid_token`
    /// (RFC 6750 section 3.1) and no more.
    pub fn verify(&self, token: &str) -> Result<Claims<C>, TokenError> {
        self.judge(token.as_bytes())?.verify(token)
    }

    /// Verifies `token` with the codec that is for it, as of `now`.
    ///
    /// # Errors
    ///
    /// As [`Verifiers::verify`].
    pub fn verify_at(&self, token: &str, now: Timestamp) -> Result<Claims<C>, TokenError> {
        self.judge(token.as_bytes())?.verify_at(token, now)
    }
}

impl<C> TokenCodec<C> {
    fn accepts_issuer(&self, issuer: &str) -> bool {
        let mut accepted = self.config.rules.issuers.iter().flatten();
        accepted.any(|known| known == issuer)
    }

    fn decrypts(&self) -> bool {
        self.config.profile != Profile::Signed
    }
}

/// The first `iss` of the claims that is a text. Reading ends there: the codec that it chooses reads everything.
fn unverified_issuer<'s>(
    payload: &[u8],
    scratch: &'s mut Scratch,
) -> Result<Cow<'s, str>, TokenError> {
    let claims = |detail| TokenError::new(TokenErrorKind::Claims, detail);
    let json = scratch.decode(payload).ok_or(TokenError::new(
        TokenErrorKind::Encoding,
        "a segment is not canonical base64url",
    ))?;
    let text = std::str::from_utf8(json).map_err(|_| claims("the claims are not utf-8"))?;
    let mut issuer = None;
    let read = Reader::new(text).only_object(|reader, name| {
        if name == "iss" && reader.peek() == Some(b'"') {
            issuer = Some(reader.string()?);
            return Err("the rest is left to the codec");
        }
        reader.value().map(drop)
    });
    match (issuer, read) {
        (Some(issuer), _) => Ok(issuer),
        (None, Err(fault)) => Err(claims(fault)),
        (None, Ok(())) => Err(NO_ISSUER),
    }
}

impl<C> From<TokenCodec<C>> for Verifiers<C> {
    /// One codec, which judges every token.
    fn from(codec: TokenCodec<C>) -> Self {
        Self {
            max_token_bytes: codec.max_token_bytes(),
            first: codec,
            others: Box::default(),
        }
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C> Clone for Verifiers<C> {
    fn clone(&self) -> Self {
        Self {
            first: self.first.clone(),
            others: self.others.clone(),
            max_token_bytes: self.max_token_bytes,
        }
    }
}

impl<C> fmt::Debug for Verifiers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.codecs()).finish()
    }
}
