//! Records and cookies of the first layout. They were made by the crate at commit 9f553fc, by its own rotation.

use serde_json::Value;

use super::*;
use crate::{
    keys::SessionKeys,
    session::{
        Decision, JarProof, Outcome, Presenter, RefreshToken, Row, SealContext, decide, unseal,
    },
};

/// Longer than the interval, within the life of every record.
const LATER: Duration = Duration::from_secs(3_600);

struct Golden {
    /// The record as the crate described it when it wrote it.
    fields: Value,
    name: String,
    now: Timestamp,
    bytes: Vec<u8>,
    record: SessionRecord,
    current: RefreshToken,
    previous: Option<RefreshToken>,
    keys: SessionKeys,
}

impl Golden {
    fn decide(&self, token: &RefreshToken, now: Timestamp, presenter: &Presenter) -> Decision {
        let policy = SessionPolicy::default();
        decide(
            token,
            Some(&self.record),
            now,
            presenter,
            &policy,
            &self.keys,
        )
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let bytes = (0..text.len()).step_by(2);
    let bytes = bytes.map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    bytes.collect::<Result<_, _>>().unwrap()
}

fn golden() -> Vec<Golden> {
    let file: Value = serde_json::from_str(include_str!("version1.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (carrier, issuer) = (text(&file["carrier"]), text(&file["issuer"]));
    let master = text(&file["master_secret"]);
    let open = |cookie: &Value| {
        let keys = SessionKeys::new([master.as_bytes()]).unwrap();
        let context = SealContext {
            carrier: &carrier,
            issuer: &issuer,
        };
        unseal(cookie.as_str()?.as_bytes(), &keys, context).ok()
    };
    let rows = file["records"].as_array().unwrap();
    let rows = rows.iter().map(|row| {
        let bytes = unhex(row["record"].as_str().unwrap());
        assert_eq!(bytes[0], 1);
        Golden {
            fields: row["fields"].clone(),
            name: text(&row["name"]),
            now: Timestamp::from_millis(row["now"].as_u64().unwrap()),
            record: SessionRecord::decode(&bytes).unwrap(),
            bytes,
            current: open(&row["cookies"]["current"]).expect("a genuine cookie"),
            previous: open(&row["cookies"]["previous"]),
            keys: SessionKeys::new([master.as_bytes()]).unwrap(),
        }
    });
    rows.collect()
}

#[test]
fn every_field_of_version_1_is_read() {
    let all = golden();
    assert_eq!(all.len(), 13);
    for Golden {
        fields,
        name,
        record,
        ..
    } in all
    {
        let text = |field: &str| fields[field].as_str().unwrap();
        let bytes = |field: &str| unhex(text(field));
        let time = |field: &str| fields[field].as_u64().map(Timestamp::from_millis);
        assert_eq!(record.id.to_string(), text("id"), "{name}");
        assert_eq!(record.subject_tag.to_string(), text("subject_tag"));
        assert_eq!(record.subject(), text("subject"));
        assert_eq!(Some(record.generation), fields["generation"].as_u64());
        assert_eq!(
            Some(record.recoveries.into()),
            fields["recoveries"].as_u64()
        );
        assert_eq!(record.current[..], bytes("current"));
        let previous = fields["previous"].as_str().map(unhex);
        assert_eq!(record.previous.map(Vec::from), previous);
        assert_eq!(Some(record.barrier), fields["barrier"].as_bool());
        assert_eq!(record.seed[..], bytes("seed"));
        assert_eq!(Some(record.handed_out_at), time("handed_out_at"));
        assert_eq!(record.presented_at, time("presented_at"), "{name}");
        assert_eq!(Some(record.rotated_at), time("rotated_at"));
        assert_eq!(Some(record.created_at), time("created_at"));
        assert_eq!(
            Some(record.absolute_expires_at),
            time("absolute_expires_at")
        );
        assert_eq!(Some(record.idle_expires_at), time("idle_expires_at"));
        let state = match record.state {
            SessionState::Live => "live",
            SessionState::Revoked(reason) => reason.as_str(),
        };
        assert_eq!(state, text("state"));
        assert_eq!(record.label(), text("label"));
        assert_eq!(record.context(), bytes("context"));

        // Its client is known and the holder, and no jar has been shown.
        let client = record.client();
        assert_eq!(client.as_bytes()[..], bytes("client"));
        assert!(record.fingerprints.is_known(client) && !record.bound);
        assert_eq!(record.fields, Fields::default());
        let replaced = record.state == SessionState::Revoked(RevokeReason::Replaced);
        let ended_at = record.presented_at.filter(|_| replaced);
        assert_eq!(record.ended_at, ended_at, "{name}");
        assert_eq!(
            record.fingerprints.ended_by(),
            replaced.then_some(client),
            "{name}"
        );

        // Version 2 says the same of it.
        let written = record.encode();
        assert_eq!(written[0], 2);
        assert_eq!(SessionRecord::decode(&written), Ok(record));
    }
}

#[test]
fn a_session_of_version_1_goes_on_and_is_written_as_version_2() {
    for row in golden().iter().filter(|row| row.record.is_live()) {
        let name = &row.name;
        assert_eq!(row.current.hash(), row.record.current, "{name}");
        for (jar, bound) in [(JarProof::Missing, false), (JarProof::Shown, true)] {
            let presenter = Presenter {
                jar,
                ..from_jar(BROWSER)
            };
            let decision = row.decide(&row.current, row.now + LATER, &presenter);
            assert_eq!(decision.row, Row::Rotated, "{name}");
            assert!(!decision.confirm);
            let next = decision.next.unwrap();
            let written = next.encode();
            assert_eq!((written[0], next.bound), (2, bound), "{name}");
            assert_eq!(next.fingerprints, Fingerprints::one(BROWSER));
            assert_eq!(next.previous, Some(row.current.hash()));
            assert_eq!(SessionRecord::decode(&written), Ok(next));
        }
        let other = row.decide(&row.current, row.now + LATER, &from_jar(STRANGER));
        assert_eq!(other.row, Row::RotatedNewcomer, "{name}");
    }
}

/// Successors are derived as they were: a token of then leads to the token of then.
#[test]
fn a_previous_token_of_version_1_leads_to_the_same_successor() {
    let mut replayed = 0;
    for row in golden() {
        let Some(previous) = &row.previous else {
            continue;
        };
        assert_eq!(Some(previous.hash()), row.record.previous);
        let decision = row.decide(previous, row.now, &from_jar(BROWSER));
        if row.record.barrier {
            assert_eq!(decision.row, Row::Barrier);
            continue;
        }
        assert_eq!(decision.outcome, Outcome::Replayed, "{}", row.name);
        // One that has been seen does not go out again.
        assert_eq!(
            decision.successor.is_none(),
            row.record.presented_at.is_some()
        );
        if let Some(successor) = decision.successor {
            assert_eq!(successor.hash(), row.current.hash());
            assert_eq!(successor.parent, row.current.parent);
            replayed += 1;
        }
    }
    assert_eq!(replayed, 2);
}

#[test]
fn an_ended_session_of_version_1_stays_ended() {
    let mut reasons = 0;
    for row in golden().iter().filter(|row| !row.record.is_live()) {
        let replaced = row.record.state == SessionState::Revoked(RevokeReason::Replaced);
        for (client, just) in [(BROWSER, replaced), (STRANGER, false)] {
            let presenter = from_jar(client);
            let decision = row.decide(&row.current, row.now, &presenter);
            let expected = if just {
                Outcome::Superseded
            } else {
                Outcome::Revoked
            };
            assert_eq!(decision.outcome, expected, "{}", row.name);
            let decision = row.decide(&row.current, row.now + LATER, &presenter);
            assert_eq!(decision.outcome, Outcome::Revoked, "{}", row.name);
        }
        reasons += 1;
    }
    assert_eq!(reasons, 7);
}

#[test]
fn damage_of_version_1_is_refused() {
    for row in golden() {
        let bytes = row.bytes;
        for end in 0..bytes.len() {
            assert!(SessionRecord::decode(&bytes[..end]).is_err(), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(SessionRecord::decode(&longer).is_err());
        for flag in [8, 16, 32, 64, 128] {
            let mut bytes = bytes.clone();
            bytes[42] |= flag;
            assert!(SessionRecord::decode(&bytes).is_err(), "flag {flag}");
        }
    }
}
