//! Records, tokens and fingerprints that the tests of this module start from.

use super::{
    authentication::Methods,
    decide::decide,
    id::{ClientFingerprint, SessionId},
    outcome::Decision,
    policy::SessionPolicy,
    presenter::{Activity, JarProof, Presenter},
    record::SessionRecord,
    refresh_token::RefreshToken,
    transition::{Lasts, NewSecrets, SignIn},
};
use crate::{clock::Timestamp, keys::SessionKeys, secret::Secret};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The honest browser.
pub(super) const BROWSER: ClientFingerprint = ClientFingerprint::from_bytes(*b"browser.");
/// Any other client.
pub(super) const STRANGER: ClientFingerprint = ClientFingerprint::from_bytes(*b"stranger");

pub(super) const OLD: &[u8] = b"the old master secret, 32 bytes.";
pub(super) const NEW: &[u8] = b"the new master secret, 32 bytes.";

pub(super) fn keys() -> SessionKeys {
    SessionKeys::new([OLD]).unwrap()
}

pub(super) fn fresh(n: u8) -> NewSecrets {
    NewSecrets {
        id: SessionId::from_bytes([n; 16]),
        seed: Secret::new([n ^ 0x55; 32]),
        secret: Secret::new([n ^ 0xaa; 32]),
    }
}

/// A request out of the session's jar.
pub(super) fn from_jar(fingerprint: ClientFingerprint) -> Presenter {
    Presenter {
        fingerprint,
        version: 0,
        jar: JarProof::Shown,
        activity: Activity::Active,
    }
}

/// The same, of a user who did nothing.
pub(super) fn passive(fingerprint: ClientFingerprint) -> Presenter {
    Presenter {
        activity: Activity::Passive,
        ..from_jar(fingerprint)
    }
}

pub(super) fn opening() -> SignIn<'static> {
    SignIn {
        subject: "ada",
        presenter: from_jar(BROWSER),
        lasts: Lasts::default(),
        label: "Browser/1.0",
        context: b"context",
        auth_time: None,
        methods: Methods::default(),
        note: "",
    }
}

/// A session that began at [`NOW`].
pub(super) fn start(policy: &SessionPolicy, keys: &SessionKeys) -> (SessionRecord, RefreshToken) {
    let active = keys.active().expect("one key");
    SessionRecord::start(&opening(), &fresh(1), NOW, policy, active)
}

/// A session with the store's record, driven by single decisions.
pub(super) struct World {
    pub(super) keys: SessionKeys,
    pub(super) policy: SessionPolicy,
    pub(super) record: SessionRecord,
    pub(super) now: Timestamp,
}

impl World {
    /// A session at generation 0 and its token.
    pub(super) fn new(policy: SessionPolicy) -> (Self, RefreshToken) {
        let keys = keys();
        let (record, token) = start(&policy, &keys);
        let world = Self {
            keys,
            policy,
            record,
            now: NOW,
        };
        (world, token)
    }

    /// A session that has just rotated: the world, its previous and its current token.
    pub(super) fn rotated() -> (Self, RefreshToken, RefreshToken) {
        let (mut world, first) = Self::new(SessionPolicy::default());
        let second = world.take(&first).successor.expect("a successor");
        (world, first, second)
    }

    pub(super) fn wait_ms(&mut self, millis: u64) {
        self.now = self.now + std::time::Duration::from_millis(millis);
    }

    /// Decides without writing, for a client that shows the jar.
    pub(super) fn ask(&self, token: &RefreshToken, client: ClientFingerprint) -> Decision {
        self.ask_as(token, &from_jar(client))
    }

    /// Decides without writing.
    pub(super) fn ask_as(&self, token: &RefreshToken, presenter: &Presenter) -> Decision {
        decide(
            token,
            Some(&self.record),
            self.now,
            presenter,
            &self.policy,
            &self.keys,
        )
    }

    /// Decides for the browser and writes.
    pub(super) fn take(&mut self, token: &RefreshToken) -> Decision {
        self.take_from(token, BROWSER)
    }

    /// Decides and writes.
    pub(super) fn take_from(
        &mut self,
        token: &RefreshToken,
        client: ClientFingerprint,
    ) -> Decision {
        self.take_as(token, &from_jar(client))
    }

    /// Decides and writes.
    pub(super) fn take_as(&mut self, token: &RefreshToken, presenter: &Presenter) -> Decision {
        let decision = self.ask_as(token, presenter);
        if let Some(next) = &decision.next {
            self.record = next.clone();
        }
        decision
    }
}
