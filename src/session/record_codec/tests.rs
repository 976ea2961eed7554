use proptest::prelude::*;

use super::*;
use crate::session::{
    fixture::{World, keys, start},
    policy::SessionPolicy,
};

const STATES: [SessionState; 8] = [
    SessionState::Live,
    SessionState::Revoked(RevokeReason::Denied),
    SessionState::Revoked(RevokeReason::Limit),
    SessionState::Revoked(RevokeReason::RevokedAll),
    SessionState::Revoked(RevokeReason::RevokedByOwner),
    SessionState::Revoked(RevokeReason::Reuse),
    SessionState::Revoked(RevokeReason::Replaced),
    SessionState::Revoked(RevokeReason::SignedOut),
];

fn sample() -> SessionRecord {
    let (mut world, _, current) = World::rotated();
    world.take(&current);
    world.record
}

/// Fixed bytes: records written by this release are read by every later one.
#[test]
fn the_layout_is_as_documented() {
    let (record, _) = start(&SessionPolicy::default(), &keys());
    let bytes = record.encode();
    assert_eq!(bytes.len(), FIXED + 3 + 11 + 7);
    assert_eq!(bytes[0], 1);
    assert_eq!(bytes[1..17], [1; 16], "session id");
    assert_eq!(bytes[17..33], record.subject_tag.as_bytes()[..]);
    assert_eq!(bytes[33..41], [0; 8], "generation");
    assert_eq!(bytes[41..43], [0, 0], "recoveries, flags");
    assert_eq!(bytes[43..75], record.current);
    assert_eq!(bytes[75..107], [0; 32], "no previous");
    assert_eq!(bytes[107..139], [0x54; 32], "seed");
    assert_eq!(bytes[139..147], 1_800_000_000_000_u64.to_be_bytes());
    assert_eq!(bytes[147..155], [0; 8], "not presented");
    assert_eq!(bytes[187..195], *b"browser.");
    assert_eq!(bytes[195], 0, "live");
    assert_eq!(
        &bytes[196..],
        b"\0\0\0\x03ada\0\x0bBrowser/1.0\0\0\0\x07context"
    );
}

#[test]
fn every_state_and_flag_survives() {
    for state in STATES {
        let mut record = sample();
        record.state = state;
        record.barrier = state == SessionState::Live;
        assert_eq!(SessionRecord::decode(&record.encode()).unwrap(), record);
    }
    let (first, _) = start(&SessionPolicy::default(), &keys());
    assert_eq!(SessionRecord::decode(&first.encode()).unwrap(), first);
}

/// A store finds and sweeps records by what it reads off their bytes.
#[cfg(feature = "memory")]
#[test]
fn records_one_behind_the_other_are_told_apart() {
    let (mut first, _) = start(&SessionPolicy::default(), &keys());
    let second = sample();
    // One of the two expiries comes first, now this one, now that one.
    first.absolute_expires_at = Timestamp::from_secs(5);
    let (first_bytes, second_bytes) = (first.encode(), second.encode());
    let both = [&first_bytes[..], &second_bytes].concat();

    let (read, rest) = EncodedRecord::split_first(&both).unwrap();
    assert_eq!((read.id, read.bytes), (first.id, &first_bytes[..]));
    assert_eq!(read.expires_at, first.expires_at());
    let (read, rest) = EncodedRecord::split_first(rest).unwrap();
    assert_eq!((read.id, read.bytes), (second.id, &second_bytes[..]));
    assert_eq!(read.expires_at, second.expires_at());
    assert!(EncodedRecord::split_first(rest).is_none());
    for end in 0..first_bytes.len() {
        assert!(EncodedRecord::split_first(&both[..end]).is_none(), "{end}");
    }
}

#[test]
fn another_version_says_so() {
    let mut bytes = sample().encode();
    bytes[0] = 2;
    let error = SessionRecord::decode(&bytes).unwrap_err();
    assert!(
        error.to_string().contains("version 2 is unknown"),
        "{error}"
    );
}

#[test]
fn a_cut_or_lengthened_record_is_refused() {
    let bytes = sample().encode();
    for end in 0..bytes.len() {
        assert!(SessionRecord::decode(&bytes[..end]).is_err(), "{end}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(SessionRecord::decode(&longer).is_err());
}

#[test]
fn what_a_flag_declares_absent_is_zero() {
    let (record, _) = start(&SessionPolicy::default(), &keys());
    for (at, name) in [(80, "previous"), (150, "presented"), (42, "flags")] {
        let mut bytes = record.encode();
        bytes[at] = 0x80;
        assert!(SessionRecord::decode(&bytes).is_err(), "{name}");
    }
}

proptest! {
    /// Whatever decodes has exactly one encoding: a store may compare bytes.
    #[test]
    fn a_changed_byte_is_refused_or_another_record(at in 0_usize..217, to in any::<u8>()) {
        let record = sample();
        let mut bytes = record.encode();
        let changed = bytes[at] != to;
        bytes[at] = to;
        if let Ok(other) = SessionRecord::decode(&bytes) {
            prop_assert_eq!(other.encode(), bytes);
            prop_assert_eq!(other == record, !changed);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [&[VERSION], &bytes[..]].concat();
        let _ = SessionRecord::decode(&bytes);
        #[cfg(feature = "memory")]
        let _ = EncodedRecord::split_first(&bytes);
    }
}
