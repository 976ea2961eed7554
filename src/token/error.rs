//! Why a token was refused or could not be minted.

use std::{borrow::Cow, error::Error, fmt};

/// Why a token was refused. For logs and tests; the client only gets `invalid_token`.
///
/// ```
/// use tower_bearer::{KeyRing, NoClaims, TokenCodec, TokenErrorKind};
///
/// let ours = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let theirs = TokenCodec::<NoClaims>::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let token = ours.mint("user-1", &NoClaims {})?;
/// assert_eq!(theirs.verify(token.as_str()).unwrap_err().kind(), TokenErrorKind::Key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    kind: TokenErrorKind,
    detail: Detail,
    setting: Option<Setting>,
}

/// The finding. Of the token it repeats no more than names of issuer and audiences, once they are verified. It is no
/// larger than a text, since refusals travel on the path of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Detail {
    Fixed(&'static str),
    #[expect(
        clippy::box_collection,
        reason = "one word, so that the whole stays as small as a text"
    )]
    Found(Box<String>),
}

/// How many characters of a text an error repeats, and how many texts.
const LONGEST: usize = 120;
const MOST: usize = 4;

/// The kinds of [`TokenError`], in the order in which they are found.
///
/// ```
/// use tower_bearer::{KeyRing, TokenCodec, TokenErrorKind};
///
/// let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// assert_eq!(codec.verify("a.b.c").unwrap_err().kind(), TokenErrorKind::Segments);
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenErrorKind {
    /// Longer than the codec accepts; nothing was parsed.
    TooLarge,
    /// Not the number of segments the profile has.
    Segments,
    /// Not strict, canonical base64url, or a part of the wrong length.
    Encoding,
    /// The header is not a JSON object of the expected types, or repeats a member.
    Header,
    /// `crit`, `b64`, `zip` or `cty` is not what the profile has, or `typ` is none of the
    /// [`token_types`](crate::token::TokenCodecBuilder::token_types).
    HeaderParameter,
    /// `alg` or `enc` is not the configured one. An issuer's RSA key without `alg` is for RS256, unless
    /// [`algorithms`](crate::token::TokenCodecBuilder::algorithms) names another.
    Algorithm,
    /// No configured key fits.
    Key,
    /// There are no keys to judge by. None of the issuer's have come yet, the last ones are past their limit, or the
    /// issuer has none. The same token may pass later. Only with the keys of a `RemoteJwks`.
    KeysUnavailable,
    /// The content could not be decrypted and authenticated.
    Decryption,
    /// The signature or MAC is wrong.
    Signature,
    /// The claims are not a JSON object, repeat a member, nest too deeply or have a wrong type. Or they have `events`,
    /// where `typ` leaves open what the token is for.
    Claims,
    /// `iss` is missing or not the configured one.
    Issuer,
    /// `aud` is missing or does not hold the configured one.
    Audience,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// Older than the configured maximum age.
    TooOld,
    /// Bound to a key that a plain bearer request does not prove (`cnf`).
    SenderConstrained,
}

/// A method of the builder that accepts the refused value. By number, so that an error stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Algorithms,
    Audience,
    AudienceClaim,
    DangerousAnyIssuer,
    Issuer,
    Leeway,
    MaxAge,
    MaxTokenBytes,
    SubjectOptional,
    TokenTypes,
}

impl Setting {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Algorithms => "algorithms",
            Self::Audience => "audience",
            Self::AudienceClaim => "audience_claim",
            Self::DangerousAnyIssuer => "dangerous_any_issuer",
            Self::Issuer => "issuer",
            Self::Leeway => "leeway",
            Self::MaxAge => "max_age",
            Self::MaxTokenBytes => "max_token_bytes",
            Self::SubjectOptional => "subject_optional",
            Self::TokenTypes => "token_types",
        }
    }
}

impl TokenErrorKind {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Segments => "segments",
            Self::Encoding => "encoding",
            Self::Header => "header",
            Self::HeaderParameter => "header_parameter",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::KeysUnavailable => "keys_unavailable",
            Self::Decryption => "decryption",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::TooOld => "too_old",
            Self::SenderConstrained => "sender_constrained",
        }
    }
}

impl TokenError {
    /// Nothing of the token was parsed.
    pub(crate) const TOO_LARGE: Self = Self::curable(
        TokenErrorKind::TooLarge,
        "the token is longer than .max_token_bytes(...) accepts",
        Setting::MaxTokenBytes,
    );

    pub(crate) const fn new(kind: TokenErrorKind, detail: &'static str) -> Self {
        Self {
            kind,
            detail: Detail::Fixed(detail),
            setting: None,
        }
    }

    /// The same, with the texts that the verified token has instead: escaped, cut, and few of many.
    #[cold]
    pub(crate) fn having<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let Detail::Fixed(detail) = self.detail else {
            return self;
        };
        let cut = |text: &str| match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
            None => format!("{text:?}"),
        };
        let found: Vec<_> = texts.into_iter().take(MOST).map(cut).collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        };
        Self {
            detail: Detail::Found(Box::new(format!("{detail}; the token has {found}"))),
            ..self
        }
    }

    /// Has the setting that takes such a token.
    pub(crate) const fn curable(
        kind: TokenErrorKind,
        detail: &'static str,
        setting: Setting,
    ) -> Self {
        Self {
            kind,
            detail: Detail::Fixed(detail),
            setting: Some(setting),
        }
    }

    /// Returns the kind of refusal.
    pub fn kind(&self) -> TokenErrorKind {
        self.kind
    }

    /// Returns the method of [`TokenCodecBuilder`](super::TokenCodecBuilder) that would take such a token. `None`
    /// where no setting does: a forged token stays forged. Whether it *should* be taken is for its reader to say.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, NoClaims, TokenCodec, token::TokenType};
    ///
    /// let keys = KeyRing::generate()?;
    /// let codec = || TokenCodec::<NoClaims>::signed(&keys).issuer("https://id.example").audience("api");
    /// let token = codec().token_types([TokenType::Jwt]).build()?.mint("user-1", &NoClaims {})?;
    /// let error = codec().build()?.verify(token.as_str()).unwrap_err();
    /// assert_eq!(error.setting(), Some("token_types"));
    /// assert!(error.to_string().contains(".token_types([TokenType::AccessToken, TokenType::Jwt])"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn setting(&self) -> Option<&'static str> {
        self.setting.map(Setting::as_str)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The reader of JSON does not know which text it reads.
        f.write_str(match self.kind {
            TokenErrorKind::Header => "header: ",
            TokenErrorKind::Claims => "claims: ",
            _ => "",
        })?;
        f.write_str(match &self.detail {
            Detail::Fixed(detail) => detail,
            Detail::Found(detail) => detail,
        })
    }
}

impl Error for TokenError {}

/// Why a token could not be minted.
///
/// ```
/// use serde::Serialize;
/// use tower_bearer::{KeyRing, TokenCodec};
///
/// #[derive(Serialize)]
/// struct Mine {
///     exp: u64, // the codec writes it
/// }
///
/// let codec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let error: tower_bearer::token::MintError = codec.mint("user-1", &Mine { exp: 1 }).unwrap_err();
/// assert!(error.to_string().contains("have the member `exp`"));
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct MintError {
    detail: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl MintError {
    pub(super) fn new(detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: detail.into(),
            source: None,
        }
    }

    pub(super) fn with_source(
        detail: &'static str,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            detail: Cow::Borrowed(detail),
            source: Some(Box::new(source)),
        }
    }
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for MintError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}
