//! Key files: what a private half signs, a ring of the public file alone verifies.

use josekit::jwk::{
    KeyPair,
    alg::{
        ec::{EcCurve, EcKeyPair},
        ed::{EdCurve, EdKeyPair},
        rsa::RsaKeyPair,
    },
};
use tower_bearer::{
    ConfigError, Grant, KeyRing, NoClaims, SignatureAlgorithm as Alg, Timestamp, TokenCodec,
    TokenErrorKind,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Made with `openssl req -x509` and `openssl pkcs8 -topk8`, for these tests.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBPjCB8aADAgECAhRmRXpA0ANk93+5dfiSdBA7j52ZDzAFBgMrZXAwFTETMBEG
A1UEAwwKaWQuZXhhbXBsZTAeFw0yNjExMjEwMzAxMTdaFw0zNjExMTgwMzAxMTda
MBUxEzARBgNVBAMMCmlkLmV4YW1wbGUwKjAFBgMrZXADIQDdvQv68k9oT1UZgs56
A6E50z+ehDDm41A2hh4vx4xPnKNTMFEwHQYDVR0OBBYEFCHSZunl6KL7siXdtt2u
4HraYVdNMB8GA1UdIwQYMBaAFCHSZunl6KL7siXdtt2u4HraYVdNMA8GA1UdEwEB
/wQFMAMBAf8wBQYDK2VwA0EArpL1mMYSboTTJyhwiz/Gz+B+e0N44ahLbSV2QlDq
5/6jpCn56IDv7bX9YmrccGkGxaWhFyruDU+d70IbNk92BQ==
-----END CERTIFICATE-----
";
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh7fS/GfaBskgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECIN/54IIO0caVgWMEbB5UcEQBkY
ZHct291iIo/Zd4vCItH2jSOouS60xxfdfdvTDeb5j1V7Nsx5QFnTTrLEpeKSzASq
tWHJWpJxz9ZuG+uC8eA=
-----END ENCRYPTED PRIVATE KEY-----
";
const COMPRESSED: &str = "-----BEGIN PUBLIC KEY-----
MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAC148VYgQ0b/CBJt/Tc0ARwIRBNASR
kqsd2wvTVi/7nLw=
-----END PUBLIC KEY-----";
const RSA_PSS: &str = "-----BEGIN PUBLIC KEY-----
MIGdMAsGCSqGSIb3DQEBCgOBjQAwgYkCgYEAym57mfcnX8tergdkKX2Xb7N6T78x
hjohD0D9r6PsH+76gkeXImq/8Qy1JNwCkOIYTJYNUReZXpFkJmdaLPPWMQnsBqVq
tYgOb8e+OIK6rU/OKq0+jmRxWbH3lepYLt16CDohl72hHyH5YHHltK1aNbtC9Pbm
ouczprpaSTU7S6kCAwEAAQ==
-----END PUBLIC KEY-----";

fn pem(alg: Alg, text: &str) -> Result<KeyRing, ConfigError> {
    KeyRing::builder().pem(alg, Some("k"), text).build()
}

fn der(alg: Alg, bytes: &[u8]) -> Result<KeyRing, ConfigError> {
    KeyRing::builder().der(alg, Some("k"), bytes).build()
}

fn codec(keys: &KeyRing) -> TokenCodec {
    let builder = TokenCodec::signed(keys).issuer("https://id.example");
    builder.audience("api").build().unwrap()
}

fn grant() -> Grant<'static, NoClaims> {
    Grant {
        subject: "user-1",
        session: None,
        custom: &NoClaims {},
    }
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).unwrap()
}

fn body(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64_simd::STANDARD.decode_to_vec(lines).unwrap()
}

/// One pair of each kind, with the algorithms it is for.
fn pairs() -> Vec<(Box<dyn KeyPair>, Vec<Alg>)> {
    vec![
        (
            Box::new(EdKeyPair::generate(EdCurve::Ed25519).unwrap()),
            vec![Alg::EdDsa],
        ),
        (
            Box::new(EcKeyPair::generate(EcCurve::P256).unwrap()),
            vec![Alg::Es256],
        ),
        (
            Box::new(EcKeyPair::generate(EcCurve::P384).unwrap()),
            vec![Alg::Es384],
        ),
        (
            Box::new(RsaKeyPair::generate(2048).unwrap()),
            vec![
                Alg::Rs256,
                Alg::Rs384,
                Alg::Rs512,
                Alg::Ps256,
                Alg::Ps384,
                Alg::Ps512,
            ],
        ),
    ]
}

#[test]
fn what_the_private_file_signs_the_public_file_verifies() {
    for (pair, algs) in pairs() {
        for alg in algs {
            let issuer = pem(alg, &text(pair.to_pem_private_key())).unwrap();
            let token = codec(&issuer).mint_at(&grant(), NOW).unwrap();
            let stranger = codec(&KeyRing::generate().unwrap());
            assert!(stranger.verify_at(token.as_str(), NOW).is_err());

            let public = text(pair.to_pem_public_key());
            let windows = format!("\r\n{}\r\n\r\n", public.trim().replace('\n', "\r\n"));
            for ring in [
                pem(alg, &public),
                pem(alg, &windows),
                der(alg, &pair.to_der_public_key()),
            ] {
                let ring = ring.unwrap();
                assert_eq!(ring.jwks(), issuer.jwks(), "{alg}");
                assert!(ring.jwks().contains("\"kid\":\"k\""), "{alg}");
                let verifier = codec(&ring);
                let claims = verifier.verify_at(token.as_str(), NOW).unwrap();
                assert_eq!(claims.subject(), "user-1");
                assert!(verifier.mint_at(&grant(), NOW).is_err(), "{alg}");

                let mut forged = token.as_str().to_owned();
                let last = forged.rfind('.').unwrap() + 5;
                let other = if forged.as_bytes()[last] == b'A' {
                    "B"
                } else {
                    "A"
                };
                forged.replace_range(last..=last, other);
                let error = verifier.verify_at(&forged, NOW).unwrap_err();
                assert_eq!(error.kind(), TokenErrorKind::Signature, "{alg}");
            }
        }
    }
}

#[test]
fn a_private_key_mints_beside_public_ones() {
    let ours = EdKeyPair::generate(EdCurve::Ed25519).unwrap();
    let theirs = EcKeyPair::generate(EcCurve::P256).unwrap();
    let ring = KeyRing::builder()
        .pem(Alg::Es256, Some("b"), &text(theirs.to_pem_public_key()))
        .pem(Alg::EdDsa, Some("a"), &text(ours.to_pem_private_key()))
        .build()
        .unwrap();
    let token = codec(&ring).mint_at(&grant(), NOW).unwrap();
    assert!(codec(&ring).verify_at(token.as_str(), NOW).is_ok());
}

#[test]
fn what_is_no_key_for_the_algorithm_is_refused_by_name() {
    let ed = text(
        EdKeyPair::generate(EdCurve::Ed25519)
            .unwrap()
            .to_pem_public_key(),
    );
    let p256 = EcKeyPair::generate(EcCurve::P256).unwrap();
    let p384 = EcKeyPair::generate(EcCurve::P384).unwrap();
    let p521 = EcKeyPair::generate(EcCurve::P521).unwrap();
    let (ec, ec384, ec521) = (
        text(p256.to_pem_public_key()),
        text(p384.to_pem_public_key()),
        text(p521.to_pem_public_key()),
    );
    let short = RsaKeyPair::generate(1024).unwrap();
    let rsa = RsaKeyPair::generate(2048).unwrap();
    let pkcs1 = text(rsa.to_traditional_pem_public_key());
    let rsa = text(rsa.to_pem_public_key());
    let cases = [
        (
            Alg::EdDsa,
            ec.as_str(),
            "an EC P-256 key; EdDSA takes an Ed25519",
        ),
        (
            Alg::Es256,
            &ec384,
            "an EC P-384 key; ES256 takes an EC P-256",
        ),
        (Alg::Es384, &ec, "an EC P-256 key; ES384 takes an EC P-384"),
        (Alg::Es256, &ec521, "neither P-256 nor P-384"),
        (Alg::Es256, &rsa, "an RSA key"),
        (Alg::Es256, COMPRESSED, "compressed"),
        (Alg::Ps256, &ed, "an Ed25519 key; PS256 takes an RSA"),
        (Alg::Ps256, RSA_PSS, "RSASSA-PSS"),
        (Alg::Rs256, &text(short.to_pem_public_key()), "2048"),
        (Alg::Rs256, &text(short.to_pem_private_key()), "2048"),
        (Alg::Hs256, &rsa, "shared secrets"),
        (Alg::Rs256, &pkcs1, "PKCS#1"),
        (Alg::EdDsa, CERTIFICATE, "an X.509 certificate"),
        (Alg::EdDsa, ENCRYPTED, "an encrypted private key"),
    ];
    for (alg, text, found) in cases {
        let error = pem(alg, text).unwrap_err();
        assert_eq!(error.setting(), "PEM key");
        assert!(error.problem().contains(found), "{error}");
        let error = der(alg, &body(text)).unwrap_err();
        assert_eq!(error.setting(), "DER key");
        assert!(error.problem().contains(found), "{error}");
    }
    // The private key of another curve, in the form that names none outside.
    for sec1 in [p384.to_raw_private_key(), p521.to_raw_private_key()] {
        assert!(der(Alg::Es256, &sec1).is_err());
    }
    let accepted = "`BEGIN PUBLIC KEY`";
    let texts = [
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        "ssh-ed25519 AAAA",
        "",
        "-----BEGIN ",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN -----\n-----END -----",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n\u{fc}\n-----END PUBLIC KEY-----",
        &format!("{ed}{ed}"),
        &ed.replace("PUBLIC", "PRIVATE"),
        &ed.replacen("PUBLIC", "PRIVATE", 1),
        &"-".repeat(1 << 20),
    ];
    for text in texts {
        let error = pem(Alg::EdDsa, text).unwrap_err();
        assert_eq!(error.setting(), "PEM key");
        assert!(error.problem().contains(accepted), "{error}");
    }
    assert!(
        pem(Alg::EdDsa, texts[0])
            .unwrap_err()
            .problem()
            .contains("encrypted")
    );
    assert!(
        der(Alg::EdDsa, ed.as_bytes())
            .unwrap_err()
            .problem()
            .contains("PEM")
    );
}

#[test]
fn cut_and_damaged_files_are_errors_and_no_panic() {
    for (pair, algs) in pairs() {
        let alg = algs[0];
        let public = pair.to_der_public_key();
        for len in 0..public.len() {
            assert!(der(alg, &public[..len]).is_err(), "{alg} {len}");
        }
        let longer = [public.as_slice(), &[0]].concat();
        assert!(der(alg, &longer).is_err(), "{alg}");
        let file = text(pair.to_pem_public_key());
        for len in 0..file.trim_end().len() {
            assert!(pem(alg, &file[..len]).is_err(), "{alg} {len}");
        }
        // Every byte as a length that goes far beyond the end, among others.
        for mut bytes in [public, pair.to_der_private_key()] {
            for at in (0..bytes.len()).take(120) {
                let before = bytes[at];
                for value in [0, 0x7f, 0x80, 0x84, 0x88, 0xff, before ^ 1] {
                    bytes[at] = value;
                    let _ = der(alg, &bytes);
                }
                bytes[at] = before;
            }
        }
    }
    // A private key whose integer claims to fill the address space.
    let huge = [
        0x30, 0x80, 0x02, 0x88, 0x7f, 255, 255, 255, 255, 255, 255, 255,
    ];
    let armoured = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        base64_simd::STANDARD.encode_to_string(huge)
    );
    for alg in [Alg::EdDsa, Alg::Es256, Alg::Rs256] {
        assert!(der(alg, &huge).is_err());
        assert!(pem(alg, &armoured).is_err());
    }
}
