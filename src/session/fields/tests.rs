use super::*;

fn saying(change: impl FnOnce(&mut Said)) -> Fields {
    Fields::default().change(change)
}

#[test]
fn fields_survive_and_have_one_encoding() {
    let methods = Methods::default().with_acr("phr").unwrap();
    let rows: [(Fields, &[u8]); 7] = [
        (Fields::default(), b""),
        (
            Fields {
                until_closed: true,
                ..Fields::default()
            },
            b"\x06\0\x09\x01\0\0\0\0\0\0\0\0",
        ),
        (
            Fields {
                idle: Some(Duration::from_secs(1)),
                fingerprint_version: 3,
                ..Fields::default()
            },
            b"\x06\0\x09\0\0\0\0\0\0\0\x03\xe8\x07\0\x01\x03",
        ),
        (
            Fields {
                unknown: Box::from(*b"\x81\0\0\xff\0\0"),
                ..saying(|said| said.note = "hi".into())
            },
            b"\x80\0\x02hi\x81\0\0\xff\0\0",
        ),
        (
            saying(|said| {
                said.auth_time = Some(Timestamp::from_millis(0x0102));
                said.methods = methods.clone();
            }),
            b"\x03\0\x08\0\0\0\0\0\0\x01\x02\x04\0\x03phr",
        ),
        (
            Fields {
                until_closed: true,
                ..saying(|said| {
                    said.methods = methods.clone().with_amr(["pwd", "otp"]).unwrap();
                    said.note = "kiosk".into();
                })
            },
            b"\x04\0\x03phr\x05\0\x07pwd otp\x06\0\x09\x01\0\0\0\0\0\0\0\0\x80\0\x05kiosk",
        ),
        (
            saying(|said| said.auth_time = Some(Timestamp::default())),
            b"\x03\0\x08\0\0\0\0\0\0\0\0",
        ),
    ];
    for (fields, bytes) in rows {
        assert_eq!(fields.encode(), bytes);
        assert_eq!(Fields::decode(bytes), Ok(fields));
    }
}

/// Whatever a sign-in says is read back as it was kept.
#[test]
fn an_idle_lifetime_is_whole_milliseconds() {
    for (said, kept) in [
        (Duration::ZERO, 1),
        (Duration::from_nanos(1), 1),
        (Duration::from_micros(2_999), 2),
        (Duration::from_millis(3), 3),
        (Duration::MAX, u64::MAX),
    ] {
        for until_closed in [false, true] {
            let fields = Fields::of(until_closed, Some(said));
            assert_eq!(fields.idle, Some(Duration::from_millis(kept)));
            assert_eq!(Fields::decode(&fields.encode()), Ok(fields));
        }
    }
    assert_eq!(Fields::of(false, None), Fields::default());
}

#[test]
fn the_version_of_the_fingerprints_changes_nothing_else() {
    let (kind, unknown) = (&b"\x06\0\x09\x01\0\0\0\0\0\0\x03\xe8"[..], b"\xc8\0\x01!");
    let fields = Fields::decode(&[kind, unknown].concat()).unwrap();
    let of_two = fields.clone().with_version(2);
    let expected = [kind, b"\x07\0\x01\x02", unknown].concat();
    assert_eq!(of_two.encode(), expected);
    assert_eq!(of_two.with_version(0), fields);
}

#[test]
fn its_debug_shows_nothing_of_the_note_and_of_unknown_fields() {
    for tag in [NOTE, 0x81] {
        let bytes = [&[tag], &b"\0\x06secret"[..]].concat();
        let fields = Fields::decode(&bytes).unwrap();
        let text = format!("{fields:?}");
        assert!(!text.contains("secret") && !text.contains("115"), "{text}");
    }
}

#[test]
fn a_field_that_must_be_known_is_not_passed_over() {
    let known = [0, AUTH_TIME, ACR, AMR, LASTS, FINGERPRINT_VERSION];
    for tag in (0..128).filter(|tag| !known.contains(tag)) {
        assert_eq!(Fields::decode(&[tag, 0, 1, 9]), Err(Damage::Field(tag)));
    }
}

/// All fields of this release beside them are within the bound of a record.
#[test]
fn unknown_fields_leave_room_for_those_that_are_known() {
    assert_eq!(LONGEST - KNOWN, 405);
    let unknown = |len: usize| {
        let [high, low] = (len as u16).to_be_bytes();
        [&[0x81, high, low], &*vec![7; len]].concat()
    };
    assert!(Fields::decode(&unknown(402)).is_ok());
    assert_eq!(Fields::decode(&unknown(403)), Err(Damage::Malformed));
    let longest = [&b"\x80\x01\0"[..], &[b'n'; 256]].concat();
    assert!(Fields::decode(&longest).is_ok());
    let longer = [&b"\x80\x01\x01"[..], &[b'n'; 257]].concat();
    assert_eq!(Fields::decode(&longer), Err(Damage::Malformed));
}

#[test]
fn an_authentication_at_the_beginning_takes_no_room() {
    let began = Timestamp::from_millis(5);
    let at = |at| Authentication {
        at,
        methods: Methods::default(),
    };
    let fields = Fields::default().with_authentication(at(began), began);
    assert_eq!(fields, Fields::default());
    let later = Timestamp::from_millis(6);
    let fields = fields.with_authentication(at(later), began);
    assert_eq!(fields.auth_time(), Some(later));
    assert_eq!(
        fields.with_authentication(at(began), began),
        Fields::default()
    );
}

#[test]
fn damage_is_told() {
    let rows: [&[u8]; 19] = [
        b"\x03\0\x07\0\0\0\0\0\0\0",
        b"\x03\0\x09\0\0\0\0\0\0\0\0\0",
        b"\x04\0\0",
        b"\x04\0\x02a b",
        b"\x04\0\x01\xff",
        b"\x05\0\0",
        b"\x05\0\x03a  ",
        b"\x05\0\x12a b c d e f g h i j",
        b"\x80\0\0",
        b"\x80\0\x01\xff",
        b"\0\0\0",
        b"\x07",
        b"\x07\0",
        b"\x07\0\x02\x01",
        b"\x07\0\x01\0",
        b"\x06\0\x09\0\0\0\0\0\0\0\0\0",
        b"\x06\0\x09\x02\0\0\0\0\0\0\0\0",
        b"\x82\0\0\x81\0\0",
        b"\x81\0\0\x81\0\0",
    ];
    for bytes in rows {
        assert_eq!(Fields::decode(bytes), Err(Damage::Malformed), "{bytes:?}");
    }
}
