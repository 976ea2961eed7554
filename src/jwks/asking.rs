//! One round of requests to an issuer: the address of its keys, where that is unknown, and the keys.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::{
    cache_control::freshness,
    client::{Fetched, JWK_SET},
    discovery::{Discovery, Found, Place},
    error::JwksError,
    fetcher::{Fetcher, Taken, jitter},
    point_in_time::PointInTime,
    schedule::Held,
    url::Address,
};
use crate::{event::Event, keys::PublicSet, secret::sha256};

impl Fetcher {
    /// Asks for the set, and before that for its address where it is not known, or not any more.
    pub(super) async fn ask(&self) -> Result<Taken, JwksError> {
        let discovery = match &self.place {
            Place::Set(address) => {
                let taken = self.set_at(address, None).await;
                return taken.map_err(|error| error.at(address.shown()));
            }
            Place::Named(discovery) => discovery,
        };
        let now = self.now();
        let known = discovery.found().clone();
        let known = known.filter(|found| !self.limits.over_for(found.fresh_until, now));
        let (found, just_read) = match known {
            Some(found) if !found.due.left(now).is_zero() => (found, false),
            known => match self.read_metadata(discovery).await {
                Ok(found) => (found, true),
                // The address from before holds until its limit.
                Err(error) => (self.read_later(discovery, known, error)?, true),
            },
        };
        match self.set_at_found(&found).await {
            // The issuer may have moved its keys.
            Err(error) if !just_read && error.retry_after().is_none() && found.may_be_read(now) => {
                match self.read_metadata(discovery).await {
                    Ok(moved) if moved.address != found.address => self.set_at_found(&moved).await,
                    Ok(_) => Err(error),
                    Err(why) => Err(self.not_found_again(discovery, found, error, why)),
                }
            }
            taken => taken,
        }
    }

    /// Reads the metadata, and remembers what they say.
    async fn read_metadata(&self, discovery: &Discovery) -> Result<Found, JwksError> {
        let Fetched::Document { headers, body } = discovery.fetch(&self.client).await? else {
            return Err(JwksError::status_of(StatusCode::NOT_MODIFIED, None));
        };
        let (metadata, address) = discovery.judge(&body)?;
        let now = self.now();
        let lifetime = self.limits.fresh_for(freshness(&headers, now.date));
        let found = Found {
            metadata: metadata.into(),
            address,
            due: now.after(jitter().before_the_end_of(lifetime)),
            fresh_until: now.after(lifetime),
            failures: 0,
            last_error: None,
            not_before: PointInTime::default(),
        };
        let before = discovery.found().replace(found.clone());
        let Some(before) = before else {
            return Ok(found);
        };
        // The headers of the current set came from elsewhere, or its keys are for another algorithm.
        if before.address != found.address || before.metadata.rsa() != found.metadata.rsa() {
            self.state().held_was_changed();
        }
        Ok(found)
    }

    /// The metadata could not be read again: continues with the `known` state, if there is one, and reports it.
    fn read_later(
        &self,
        discovery: &Discovery,
        known: Option<Found>,
        error: JwksError,
    ) -> Result<Found, JwksError> {
        let Some(mut found) = known else {
            return Err(error);
        };
        let now = self.now();
        found.failures = found.failures.saturating_add(1);
        found.last_error = Some(error.clone());
        found.due = now.after(jitter().after_failure(&error));
        found.not_before = now.after(error.retry_after().unwrap_or_default());
        *discovery.found() = Some(found.clone());
        let usable_until = self.usable_until(&self.state());
        self.emit(&Event::KeysUnavailable {
            url: self.place.shown(),
            error: &error,
            failures: found.failures,
            usable_until,
        });
        Ok(found)
    }

    /// Neither the set nor, after that, the metadata could be read. Remembers why, and for how long the issuer wants
    /// no further request for the latter. Returns the error of the set, which says both.
    fn not_found_again(
        &self,
        discovery: &Discovery,
        found: Found,
        error: JwksError,
        why: JwksError,
    ) -> JwksError {
        let error = error.beside(&why);
        *discovery.found() = Some(Found {
            not_before: self.now().after(why.retry_after().unwrap_or_default()),
            last_error: Some(why),
            ..found
        });
        error
    }

    async fn set_at_found(&self, found: &Found) -> Result<Taken, JwksError> {
        let taken = self.set_at(&found.address, Some(found.fresh_until)).await;
        taken.map_err(|error| error.at(found.address.shown()))
    }

    /// Asks for the set at `address`, which is fresh until `named_until` where the issuer has named it.
    async fn set_at(
        &self,
        address: &Address,
        named_until: Option<PointInTime>,
    ) -> Result<Taken, JwksError> {
        let held = self.state().held.clone();
        let etag = held.and_then(|held| held.etag);
        let fetched = self.client.get(address, JWK_SET, etag.as_ref()).await?;
        let now = self.now();
        match fetched {
            Fetched::Unchanged { headers } => self.confirmed(&headers, named_until, now),
            Fetched::Document { headers, body } => self.read(&headers, &body, named_until, now),
        }
    }

    /// The current set is still the issuer's. Headers that the answer repeats replace those from
    /// before (RFC 9111 section 4.3.4).
    fn confirmed(
        &self,
        headers: &HeaderMap,
        named_until: Option<PointInTime>,
        now: PointInTime,
    ) -> Result<Taken, JwksError> {
        let state = self.state();
        // It has expired while the issuer was asked.
        let held = state.held.as_ref().ok_or_else(JwksError::nothing_held)?;
        let stated = freshness(headers, now.date);
        let lifetime = stated.map_or(held.lifetime, |_| self.limits.fresh_for(stated));
        let etag = headers.get(header::ETAG).or(held.etag.as_ref());
        Ok(Taken {
            held: Held {
                digest: held.digest,
                etag: etag.cloned(),
                lifetime,
                confirmed: now,
                named_until,
            },
            set: None,
        })
    }

    /// Reads a set, if it is another one than the current one.
    fn read(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        named_until: Option<PointInTime>,
        now: PointInTime,
    ) -> Result<Taken, JwksError> {
        let held = Held {
            digest: Some(sha256(&[body])),
            etag: headers.get(header::ETAG).cloned(),
            lifetime: self.limits.fresh_for(freshness(headers, now.date)),
            confirmed: now,
            named_until,
        };
        let current = self.state().held.as_ref().and_then(|held| held.digest);
        // The same keys stay the same snapshot, so that tokens verified with them stay remembered.
        let set = match current.is_some() && current == held.digest {
            true => None,
            false => {
                let mut compromised = self.compromised();
                let set = PublicSet::read(body, &mut compromised);
                Some(set.map_err(|error| JwksError::invalid(error.problem()))?)
            }
        };
        Ok(Taken { held, set })
    }
}
