//! One immutable set of keys, and how a key is found in it.

mod checks;
mod find;

use std::{
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use smallvec::SmallVec;

use self::find::{find, find_first_segment};
use super::{
    ContentEncryption, EncryptionKey, KeyManagement, SessionKeys, SignatureAlgorithm, SigningKey,
    public_set::{KeyReport, PublicSet},
    validity::Validity,
};

/// One snapshot of the ring. In each list the first key that can mint does; all are accepted.
pub(crate) struct Keys {
    /// The number of this snapshot; no two of a process have the same. It distinguishes results of one snapshot from
    /// those of another. An address would not do: it is used again.
    pub(crate) generation: u64,
    pub(crate) signing: Vec<Arc<SigningKey>>,
    pub(crate) encryption: Vec<Arc<EncryptionKey>>,
    /// Shared, so that an operation goes through with those that it began with.
    pub(crate) sessions: Option<Arc<SessionKeys>>,
    /// One for each key of an issuer's set: whether it is used.
    pub(crate) reports: Box<[KeyReport]>,
    /// Until when all this is good.
    pub(crate) validity: Validity,
    /// Whether two signing keys share a name, as in an issuer's set they may.
    twins: bool,
    /// The algorithm of RSA keys that name none, where the verifier names none either.
    rsa: SignatureAlgorithm,
}

/// Why no key was found for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookupError {
    /// The named key, or every key, is for another algorithm.
    #[error("no key of this name is for the token's algorithm")]
    Algorithm,
    /// No key has the token's `kid`.
    #[error("no key has the token's kid")]
    Unknown,
    /// The token names no key and several would fit.
    #[error("the token names no key and several would fit")]
    Ambiguous,
}

/// The number of the next snapshot.
fn next_generation() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Keys {
    pub(super) fn new(
        signing: Vec<Arc<SigningKey>>,
        encryption: Vec<Arc<EncryptionKey>>,
        sessions: Option<SessionKeys>,
    ) -> Self {
        Self {
            generation: next_generation(),
            reports: Box::default(),
            validity: Validity::default(),
            twins: has_twins(&signing),
            rsa: SignatureAlgorithm::Rs256,
            signing,
            encryption,
            sessions: sessions.map(Arc::new),
        }
    }

    /// The keys of an issuer elsewhere, and nothing else.
    pub(crate) fn of_set(set: PublicSet) -> Self {
        Self {
            reports: set.reports.into(),
            ..Self::new(set.keys, Vec::new(), None)
        }
    }

    /// The same, where the issuer says by its metadata what RSA keys are for that name no algorithm.
    #[cfg(feature = "jwks")]
    pub(crate) fn with_rsa(mut self, named: Option<SignatureAlgorithm>) -> Self {
        if let Some(rsa) = named {
            self.rsa = rsa;
            self.reports
                .iter_mut()
                .for_each(|report| report.assume(rsa));
        }
        self
    }

    /// No keys at all.
    pub(crate) fn empty() -> Self {
        Self::new(Vec::new(), Vec::new(), None)
    }

    /// The same for all, in place of keys whose time is over.
    pub(super) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<Keys>> = LazyLock::new(|| Arc::new(Keys::empty()));
        NONE.clone()
    }

    /// The key that signs new tokens.
    pub(crate) fn active_signing(&self) -> Option<&Arc<SigningKey>> {
        self.signing.iter().find(|key| key.can_sign())
    }

    /// The key that encrypts new tokens.
    pub(crate) fn active_encryption(&self) -> Option<&Arc<EncryptionKey>> {
        self.encryption.iter().find(|key| key.can_seal())
    }

    /// The key that writes exactly the protected header which `token` begins with, and the length of that. It does
    /// not read the header's content.
    pub(crate) fn signing_by_header(&self, token: &[u8]) -> Option<(&Arc<SigningKey>, usize)> {
        if self.twins {
            return None;
        }
        let found = find_first_segment(&self.signing, signed_header, token);
        // Its header is for RS256, and the key may not be. A header without `kid` may fit several keys, and then
        // none is taken.
        let fits = |key: &SigningKey| key.is_for(key.algorithm(), self.rsa);
        found.filter(|(key, _)| fits(key) && (key.kid().is_some() || self.is_alone(key)))
    }

    /// The keys for a token's `kid` and `alg`. RSA keys that name no algorithm are for `rsa`, if the verifier names
    /// one. It returns those of the token's name, or else those without a name, four at the most. A token costs no
    /// more verifications than that.
    pub(crate) fn signing_by(
        &self,
        kid: Option<&str>,
        alg: SignatureAlgorithm,
        rsa: Option<SignatureAlgorithm>,
    ) -> Result<Candidates<'_>, LookupError> {
        let rsa = rsa.unwrap_or(self.rsa);
        let named = kid.and_then(|kid| find(&self.signing, SigningKey::kid, kid.as_bytes()));
        let candidates: Candidates<'_> = match named {
            Some(key) if !self.twins => std::iter::once(key)
                .filter(|key| key.is_for(alg, rsa))
                .collect(),
            // A token that names none, or one that is not here, may be of a key without a name.
            _ => {
                let name = named.and_then(|key| key.kid());
                let fits = |key: &&Arc<SigningKey>| key.kid() == name && key.is_for(alg, rsa);
                self.signing.iter().filter(fits).take(MOST_TRIED).collect()
            }
        };
        match (kid, named) {
            _ if !candidates.is_empty() => Ok(candidates),
            (Some(_), Some(_)) => Err(LookupError::Algorithm),
            (Some(_), None) => Err(LookupError::Unknown),
            (None, _) => self.only_one(alg, rsa),
        }
    }

    /// The key for a token that names none, where every key has a name: the only one for `alg`. Between
    /// several the issuer has to choose.
    fn only_one(
        &self,
        alg: SignatureAlgorithm,
        rsa: SignatureAlgorithm,
    ) -> Result<Candidates<'_>, LookupError> {
        let mut fitting = self.signing.iter().filter(|key| key.is_for(alg, rsa));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(std::iter::once(key).collect()),
            (Some(_), Some(_)) => Err(LookupError::Ambiguous),
            (None, _) => Err(LookupError::Algorithm),
        }
    }

    /// Whether no other key is for the algorithm of `key`.
    fn is_alone(&self, key: &SigningKey) -> bool {
        let alg = key.algorithm();
        let mut same = self.signing.iter().filter(|other| other.algorithm() == alg);
        same.next().is_some() && same.next().is_none()
    }

    /// The key for a token's `kid`, `alg` and `enc`.
    pub(crate) fn encryption_by(
        &self,
        kid: Option<&str>,
        alg: KeyManagement,
        enc: ContentEncryption,
    ) -> Result<&Arc<EncryptionKey>, LookupError> {
        let named = kid.and_then(|kid| find(&self.encryption, EncryptionKey::kid, kid.as_bytes()));
        let fits = |key: &EncryptionKey| key.management() == alg && key.content() == enc;
        choose(&self.encryption, kid, named, EncryptionKey::kid, fits)
    }

    /// The same for the header around a signed token.
    pub(crate) fn encryption_by_nested_header(
        &self,
        token: &[u8],
    ) -> Option<(&Arc<EncryptionKey>, usize)> {
        self.encryption_by_header(nested_header, token)
    }

    /// The same for the header around claims.
    pub(crate) fn encryption_by_claims_header(
        &self,
        token: &[u8],
    ) -> Option<(&Arc<EncryptionKey>, usize)> {
        self.encryption_by_header(claims_header, token)
    }

    fn encryption_by_header(
        &self,
        header: fn(&EncryptionKey) -> Option<&str>,
        token: &[u8],
    ) -> Option<(&Arc<EncryptionKey>, usize)> {
        let found = find_first_segment(&self.encryption, header, token);
        found.filter(|(key, _)| {
            let alone = || self.encryption_by(None, key.management(), key.content());
            key.kid().is_some() || alone().is_ok()
        })
    }
}

/// How many keys one token is tried with.
const MOST_TRIED: usize = 4;

/// The keys that a token may have been signed with.
pub(crate) type Candidates<'k> = SmallVec<[&'k Arc<SigningKey>; MOST_TRIED]>;

fn has_twins(keys: &[Arc<SigningKey>]) -> bool {
    let mut names: Vec<_> = keys.iter().filter_map(|key| key.kid()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

fn signed_header(key: &SigningKey) -> Option<&str> {
    Some(key.encoded_header())
}

fn claims_header(key: &EncryptionKey) -> Option<&str> {
    Some(key.encoded_header_claims())
}

fn nested_header(key: &EncryptionKey) -> Option<&str> {
    Some(key.encoded_header_nested())
}

/// The key that a `kid` names has to fit. Without one, exactly one key has to fit. So it is too when the named key
/// may be one that was configured without a name.
fn choose<'a, K>(
    keys: &'a [Arc<K>],
    kid: Option<&str>,
    named: Option<&'a Arc<K>>,
    name: fn(&K) -> Option<&str>,
    fits: impl Fn(&K) -> bool,
) -> Result<&'a Arc<K>, LookupError> {
    if let Some(key) = named {
        return if fits(key) {
            Ok(key)
        } else {
            Err(LookupError::Algorithm)
        };
    }
    let mut fitting = keys
        .iter()
        .filter(|key| fits(key) && (kid.is_none() || name(key).is_none()));
    let key = fitting.next().ok_or(match kid {
        Some(_) => LookupError::Unknown,
        None => LookupError::Algorithm,
    })?;
    if fitting.next().is_some() {
        return Err(LookupError::Ambiguous);
    }
    Ok(key)
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            generation,
            signing,
            encryption,
            sessions,
            reports,
            validity,
            twins: _,
            rsa: _,
        } = self;
        f.debug_struct("Keys")
            .field("generation", generation)
            .field("signing", signing)
            .field("encryption", encryption)
            .field("sessions", sessions)
            .field("reports", reports)
            .field("validity", validity)
            .finish()
    }
}
