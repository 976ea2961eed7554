mod version1;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    session::{
        RevokeReason, SessionState,
        fixture::{BROWSER, STRANGER, World, from_jar, keys, start},
        policy::SessionPolicy,
    },
    store::{StoreError, StoreErrorKind},
};

fn sample() -> SessionRecord {
    let (mut world, _, current) = World::rotated();
    world.take(&current);
    world.record
}

/// The bytes that end in `fields`, of a session without any.
fn with_fields(fields: &[u8]) -> Vec<u8> {
    let mut bytes = sample().encode();
    bytes[238..240].copy_from_slice(&(fields.len() as u16).to_be_bytes());
    bytes.extend_from_slice(fields);
    bytes
}

/// Fixed bytes: records written by this release are read by every later one.
#[test]
fn the_layout_is_as_documented() {
    let (mut record, _) = start(&SessionPolicy::default(), &keys());
    record.fingerprints = record.fingerprints.held_by(STRANGER).with_end_by(BROWSER);
    record.fields = Fields::of(true, Some(Duration::from_secs(1))).with_version(9);
    let bytes = record.encode();
    assert_eq!(FIXED, 240);
    assert_eq!(bytes.len(), 240 + 3 + 11 + 7 + 16);
    assert_eq!(bytes[0], 2);
    assert_eq!(bytes[1..17], [1; 16], "session id");
    assert_eq!(bytes[17..33], record.subject_tag.as_bytes()[..]);
    assert_eq!(bytes[33..41], [0; 8], "generation");
    assert_eq!(bytes[41..43], [0, 0], "recoveries, flags");
    assert_eq!(bytes[43..75], record.current);
    assert_eq!(bytes[75..107], [0; 32], "no previous");
    assert_eq!(bytes[107..139], [0x54; 32], "seed");
    let (now, week) = (1_800_000_000_000_u64, 7 * 24 * 3_600_000);
    assert_eq!(bytes[139..147], now.to_be_bytes());
    assert_eq!(bytes[147..155], [0; 8], "not presented");
    assert_eq!(bytes[155..163], now.to_be_bytes(), "rotated");
    assert_eq!(bytes[163..171], now.to_be_bytes(), "created");
    assert_eq!(
        bytes[171..179],
        (now + week).to_be_bytes(),
        "absolute expiry"
    );
    assert_eq!(bytes[179..187], (now + week).to_be_bytes(), "idle expiry");
    assert_eq!(bytes[187..203], *b"browser.stranger");
    assert_eq!(bytes[203..219], [0; 16], "two more fingerprints");
    assert_eq!(bytes[219], 0x21, "two, and the first is known");
    assert_eq!(
        bytes[220], 0x01,
        "the first ended it, the second is the holder"
    );
    assert_eq!(bytes[221..229], [0; 8], "ended");
    assert_eq!(bytes[229], 0, "live");
    assert_eq!(bytes[230..240], *b"\0\x03\0\x0b\0\0\0\x07\0\x10");
    assert_eq!(
        &bytes[240..],
        b"adaBrowser/1.0context\x06\0\x09\x01\0\0\0\0\0\0\x03\xe8\x07\0\x01\x09"
    );
}

#[test]
fn every_state_and_flag_survives() {
    let flags = |record: &SessionRecord| record.encode()[42];
    let (first, _) = start(&SessionPolicy::default(), &keys());
    assert_eq!(flags(&first), 0);
    type Change = fn(&mut SessionRecord);
    let changes: [(u8, Change); 5] = [
        (1, |record| record.previous = Some([7; 32])),
        (2, |record| record.barrier = true),
        (4, |record| {
            record.presented_at = Some(Timestamp::from_millis(5))
        }),
        (8, |record| record.bound = true),
        (16, |record| {
            record.ended_at = Some(Timestamp::from_millis(6))
        }),
    ];
    for set in 0..32_u8 {
        let mut record = first.clone();
        for (flag, change) in changes {
            if set & flag != 0 {
                change(&mut record);
            }
        }
        assert_eq!(flags(&record), set);
        assert_eq!(SessionRecord::decode(&record.encode()), Ok(record));
    }
    for (code, state) in (0..).zip([
        SessionState::Live,
        SessionState::Revoked(RevokeReason::Denied),
        SessionState::Revoked(RevokeReason::Limit),
        SessionState::Revoked(RevokeReason::RevokedAll),
        SessionState::Revoked(RevokeReason::RevokedByOwner),
        SessionState::Revoked(RevokeReason::Reuse),
        SessionState::Revoked(RevokeReason::Replaced),
        SessionState::Revoked(RevokeReason::SignedOut),
    ]) {
        let mut record = sample();
        record.state = state;
        let mut bytes = record.encode();
        assert_eq!(bytes[229], code, "{state:?}");
        assert_eq!(SessionRecord::decode(&bytes), Ok(record));
        bytes[229] = 8;
        assert!(SessionRecord::decode(&bytes).is_err(), "no such state");
    }
}

#[test]
fn every_field_survives() {
    let mut record = sample();
    record.generation = u64::MAX - 1;
    record.recoveries = 255;
    record.fingerprints = Fingerprints::one(BROWSER)
        .held_by(STRANGER)
        .with_known_holder()
        .with_end_by(BROWSER);
    for (millis, at) in (1_u64..).zip([
        &mut record.handed_out_at,
        &mut record.rotated_at,
        &mut record.created_at,
        &mut record.absolute_expires_at,
        &mut record.idle_expires_at,
    ]) {
        *at = Timestamp::from_millis(u64::MAX - millis);
    }
    record.presented_at = Some(Timestamp::default());
    record.ended_at = Some(Timestamp::default());
    record.fields =
        Fields::decode(b"\x03\0\x08\0\0\0\0\0\0\0\x09\x04\0\x03phr\x05\0\x07pwd otp\x06\0\x09\x01\0\0\0\0\0\0\0\0\x07\0\x01\xff\x80\0\x04mail\xff\0\0")
            .unwrap();
    let read = SessionRecord::decode(&record.encode()).unwrap();
    assert_eq!(read, record);
    assert!(read.fields.until_closed);
    assert_eq!(read.fields.fingerprint_version, 255);
    assert_eq!(read.authenticated_at(), Timestamp::from_millis(9));
    assert_eq!((read.acr(), read.note()), (Some("phr"), "mail"));
    assert!(read.amr().eq(["pwd", "otp"]));
}

/// One of an earlier release: its user authenticated when it began, and in a way that is not written down.
#[test]
fn a_record_that_does_not_say_when_its_user_authenticated_says_when_it_began() {
    let record = SessionRecord::decode(&with_fields(b"")).unwrap();
    assert_eq!(record.authenticated_at(), record.created_at());
    assert_eq!((record.amr().count(), record.acr()), (0, None));
    assert_eq!(record.note(), "");
}

/// A column or a buffer of this size holds every record, and nothing larger is one.
#[test]
fn the_largest_record_is_as_long_as_it_says() {
    // All that this release writes, and as much of later ones as fits beside it.
    let mut fields = b"\x03\0\x08\0\0\0\0\0\0\0\x01\x04\0\x40".to_vec();
    fields.extend([b'a'; 64]);
    fields.extend(*b"\x05\x01\x07");
    fields.extend([&[b'm'; 32][..]; 8].join(&b' '));
    fields.extend(*b"\x06\0\x09\x01\0\0\0\0\0\0\0\0\x07\0\x01\xff\x80\x01\0");
    fields.extend([b'n'; 256]);
    fields.extend(*b"\xc8\x01\x92");
    fields.resize(1_024, 7);
    let mut largest = SessionRecord {
        subject: "s".repeat(256).into(),
        label: "l".repeat(200).into(),
        context: vec![9; 1_024].into(),
        fields: Fields::decode(&fields).unwrap(),
        ..sample()
    };
    let bytes = largest.encode();
    assert_eq!(bytes.len(), SessionRecord::LARGEST);
    assert_eq!(SessionRecord::LARGEST, 2_744);
    assert_eq!(SessionRecord::decode(&bytes).as_ref(), Ok(&largest));
    largest.context = vec![9; 1_025].into();
    let longer = largest.encode();
    assert_eq!(
        SessionRecord::decode(&longer),
        Err(DecodeError(Damage::Malformed))
    );
}

/// Those of a later release, which then still finds what it wrote.
#[test]
fn unknown_fields_are_kept_byte_for_byte_through_every_swap() {
    let unknown = b"\x80\0\x04note\xff\0\0";
    let (mut world, _, current) = World::rotated();
    world.record = SessionRecord::decode(&with_fields(unknown)).unwrap();
    assert_eq!(world.record.encode(), with_fields(unknown));
    world.wait_ms(60_000);
    let newest = world.take(&current).successor.unwrap();
    assert_eq!(world.record.generation, 2);
    world.take(&newest);
    let browser = from_jar(BROWSER);
    let World {
        record,
        now,
        policy,
        keys,
    } = &world;
    let (elevated, _) = record
        .elevated(&newest, &browser, *now, policy, keys)
        .unwrap();
    let ended = elevated.ended(RevokeReason::SignedOut, Some(&browser), *now);
    for record in [record, &elevated, &ended, &ended.alarmed()] {
        let bytes = record.encode();
        assert!(bytes.ends_with(unknown), "{record:?}");
        assert_eq!(bytes.len(), with_fields(unknown).len());
    }
    // In its place in the order, behind what this release knows.
    let other_version = crate::session::Presenter {
        version: 1,
        ..browser
    };
    world.take_as(&newest, &other_version);
    let with_version = [&b"\x07\0\x01\x01"[..], unknown].concat();
    assert!(world.record.encode().ends_with(&with_version));
}

#[test]
fn a_field_that_must_be_known_is_corrupt_and_says_so() {
    let error = SessionRecord::decode(&with_fields(b"\x08\0\x01!")).unwrap_err();
    assert_eq!(error, DecodeError(Damage::Field(8)));
    assert!(error.to_string().contains("the field 8"), "{error}");
    assert_eq!(StoreError::from(error).kind(), StoreErrorKind::Corrupt);
    // Damage within the fields is damage of the record.
    for fields in [&b"\x80\0\x02!"[..], b"\x80", b"\xff\0\0\x80\0\0"] {
        let error = SessionRecord::decode(&with_fields(fields)).unwrap_err();
        assert_eq!(error, DecodeError(Damage::Malformed));
    }
}

/// A store finds and sweeps records by what it reads off their bytes.
#[cfg(feature = "memory")]
#[test]
fn records_one_behind_the_other_are_told_apart() {
    let (mut first, _) = start(&SessionPolicy::default(), &keys());
    let second = sample();
    // One of the two expiries comes first, now this one, now that one.
    first.absolute_expires_at = Timestamp::from_secs(5);
    let [first_bytes, second_bytes] = [&first, &second].map(EncodedRecord::encode);
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
    for version in [0, 3] {
        bytes[0] = version;
        let error = SessionRecord::decode(&bytes).unwrap_err().to_string();
        let expected = format!("version {version} is unknown");
        assert!(error.contains(&expected), "{error}");
    }
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
fn fields_that_a_flag_declares_absent_are_zero() {
    let (record, _) = start(&SessionPolicy::default(), &keys());
    for (at, name) in [
        (80, "previous"),
        (150, "presented"),
        (42, "flags"),
        (210, "a fingerprint"),
        (225, "ended"),
    ] {
        let mut bytes = record.encode();
        bytes[at] = 0x80;
        assert!(SessionRecord::decode(&bytes).is_err(), "{name}");
    }
}

proptest! {
    /// Whatever decodes has exactly one encoding: a store may compare bytes.
    #[test]
    fn a_changed_byte_is_refused_or_another_record(at in 0_usize..261, to in any::<u8>()) {
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
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let bytes = [&[VERSION], &bytes[..]].concat();
        let _ = SessionRecord::decode(&bytes);
        #[cfg(feature = "memory")]
        let _ = EncodedRecord::split_first(&bytes);
    }
}
