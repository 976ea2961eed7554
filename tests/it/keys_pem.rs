//! Key files: what a private half signs, a ring of the public file alone verifies.
//!
//! Those in `tests/data/keys` were made for these tests, with `openssl genpkey`, `openssl ec` and
//! `openssl rsa`.

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use tower_bearer::{
    ConfigError, KeyRing, NoClaims, SignatureAlgorithm as Alg, Timestamp, TokenCodec,
    TokenErrorKind, token::Grant,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../data/keys/", $name, ".pem"))
    };
}

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
    Grant::new("user-1", &NoClaims {})
}

fn body(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64_simd::STANDARD.decode_to_vec(lines).unwrap()
}

/// One pair in all its forms, each half in the form of its own time first.
struct Pair {
    algs: &'static [Alg],
    private: &'static [&'static str],
    public: &'static [&'static str],
}

const PAIRS: [Pair; 4] = [
    Pair {
        algs: &[Alg::EdDsa],
        private: &[file!("ed25519")],
        public: &[file!("ed25519_public")],
    },
    Pair {
        algs: &[Alg::Es256],
        private: &[file!("p256"), file!("p256_sec1")],
        public: &[file!("p256_public")],
    },
    Pair {
        algs: &[Alg::Es384],
        private: &[file!("p384"), file!("p384_sec1")],
        public: &[file!("p384_public")],
    },
    Pair {
        algs: &[
            Alg::Rs256,
            Alg::Rs384,
            Alg::Rs512,
            Alg::Ps256,
            Alg::Ps384,
            Alg::Ps512,
        ],
        private: &[file!("rsa2048"), file!("rsa2048_pkcs1")],
        public: &[file!("rsa2048_public"), file!("rsa2048_public_pkcs1")],
    },
];

/// The rings of a file as it is, from Windows, on one line, indented, wrapped anew, and in DER.
fn rings(alg: Alg, file: &str) -> Vec<KeyRing> {
    let windows = format!("\r\n{}\r\n\r\n", file.trim().replace('\n', "\r\n"));
    let lines: Vec<_> = file.lines().collect();
    let (first, last) = (lines[0], lines[lines.len() - 1]);
    let one_line = format!("{first}\n{}\n{last}", lines[1..lines.len() - 1].concat());
    let indented = file.replace('\n', " \n\t  ");
    let uneven = one_line.replacen("M", "\nM\n\n", 1);
    let pems = [file, &windows, &one_line, &indented, &uneven];
    let mut rings: Vec<_> = pems.iter().map(|text| pem(alg, text).unwrap()).collect();
    rings.push(der(alg, &body(file)).unwrap());
    rings
}

#[test]
fn a_public_file_verifies_tokens_of_its_private_file() {
    for pair in PAIRS {
        for &alg in pair.algs {
            let public: Vec<_> = pair.public.iter().flat_map(|f| rings(alg, f)).collect();
            for issuer in pair.private.iter().flat_map(|f| rings(alg, f)) {
                let token = codec(&issuer).mint_at(&grant(), NOW).unwrap();
                for ring in &public {
                    assert_eq!(ring.jwks(), issuer.jwks(), "{alg}");
                    let claims = codec(ring).verify_at(token.as_str(), NOW).unwrap();
                    assert_eq!(claims.subject(), "user-1");
                }
            }
        }
    }
}

#[test]
fn a_public_file_mints_nothing_and_takes_no_forgery() {
    for pair in PAIRS {
        for &alg in pair.algs {
            let issuer = pem(alg, pair.private[0]).unwrap();
            let token = codec(&issuer).mint_at(&grant(), NOW).unwrap();
            let stranger = codec(&KeyRing::generate().unwrap());
            assert!(stranger.verify_at(token.as_str(), NOW).is_err());

            let ring = pem(alg, pair.public[0]).unwrap();
            assert!(ring.jwks().contains("\"kid\":\"k\""), "{alg}");
            let verifier = codec(&ring);
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

#[test]
fn a_private_key_mints_beside_public_ones() {
    let ring = KeyRing::builder()
        .pem(Alg::Es256, Some("b"), file!("p256_public"))
        .pem(Alg::EdDsa, Some("a"), file!("ed25519"))
        .build()
        .unwrap();
    let token = codec(&ring).mint_at(&grant(), NOW).unwrap();
    assert!(codec(&ring).verify_at(token.as_str(), NOW).is_ok());
}

/// `openssl ecparam -genkey` writes the curve in a block of its own.
#[test]
fn a_curve_in_front_of_the_key_is_passed_over() {
    let curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let (key, other) = (file!("p256_sec1"), file!("p256"));
    let ring = pem(Alg::Es256, &format!("{curve}{key}")).unwrap();
    assert_eq!(ring.jwks(), pem(Alg::Es256, key).unwrap().jwks());
    for rest in [
        String::new(),
        format!("{key}{other}"),
        format!("{curve}{key}"),
    ] {
        assert!(
            pem(Alg::Es256, &format!("{curve}{rest}")).is_err(),
            "{rest}"
        );
    }
}

/// Version 2 of PKCS#8 (RFC 5958) has the public half beside the private one.
#[test]
fn keys_that_ring_generates_are_read() {
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).unwrap();
    for (alg, file) in [(Alg::EdDsa, ed.as_ref()), (Alg::Es384, ec.as_ref())] {
        let ring = der(alg, file).unwrap();
        let token = codec(&ring).mint_at(&grant(), NOW).unwrap();
        let public = KeyRing::verifier(&ring.jwks()).unwrap();
        assert!(codec(&public).verify_at(token.as_str(), NOW).is_ok());
        // The last byte is the public half's.
        let mut other = file.to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert!(der(alg, &other).is_err(), "{alg}");
    }
}

#[test]
fn a_key_of_another_algorithm_is_refused_by_name() {
    let (ed, rsa) = (file!("ed25519_public"), file!("rsa2048_public"));
    let (ec, ec384) = (file!("p256_public"), file!("p384_public"));
    let cases = [
        (Alg::EdDsa, ec, "an EC P-256 key; EdDSA takes an Ed25519"),
        (
            Alg::Es256,
            ec384,
            "an EC P-384 key; ES256 takes an EC P-256",
        ),
        (Alg::Es384, ec, "an EC P-256 key; ES384 takes an EC P-384"),
        (Alg::Es256, file!("p521_public"), "neither P-256 nor P-384"),
        (Alg::Es256, rsa, "an RSA key"),
        (Alg::Es256, COMPRESSED, "compressed"),
        (Alg::Ps256, ed, "an Ed25519 key; PS256 takes an RSA"),
        (Alg::Ps256, RSA_PSS, "RSASSA-PSS"),
        (Alg::Rs256, file!("rsa1024_public"), "2048"),
        (Alg::Hs256, rsa, "shared secrets"),
        (
            Alg::EdDsa,
            file!("rsa2048_public_pkcs1"),
            "an RSA key; EdDSA takes an Ed25519",
        ),
        (
            Alg::Rs256,
            file!("ed25519"),
            "an Ed25519 key; RS256 takes an RSA",
        ),
        (
            Alg::Es384,
            file!("p256"),
            "an EC P-256 key; ES384 takes an EC P-384",
        ),
        (
            Alg::Es256,
            file!("p384_sec1"),
            "an EC P-384 key; ES256 takes an EC P-256",
        ),
        (Alg::Es256, file!("p521_sec1"), "neither P-256 nor P-384"),
        (
            Alg::Rs256,
            file!("p256_sec1"),
            "an EC P-256 key; RS256 takes an RSA",
        ),
        (
            Alg::Es256,
            file!("rsa2048_pkcs1"),
            "an RSA key; ES256 takes an EC P-256",
        ),
        (
            Alg::Es256,
            file!("p256_no_public_half"),
            "`openssl ec` adds it",
        ),
        (Alg::Es256, file!("p256_compressed"), "compressed"),
        (Alg::Ps256, file!("rsa_pss"), "RSASSA-PSS"),
        (Alg::Rs256, file!("rsa1024"), "2048"),
        (Alg::Hs256, file!("rsa2048"), "shared secrets"),
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
    assert!(
        der(Alg::EdDsa, ed.as_bytes())
            .unwrap_err()
            .problem()
            .contains("PEM")
    );
}

#[test]
fn a_text_that_is_no_key_file_is_told_what_is_accepted() {
    let ed = file!("ed25519_public");
    let texts = [
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        "ssh-ed25519 AAAA",
        "",
        "-----BEGIN ",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN -----\n-----END -----",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n\u{fc}\n-----END PUBLIC KEY-----",
        &format!("{ed}{ed}"),
        &ed.replace("PUBLIC", "PRIVATE"),
        &ed.replacen("PUBLIC", "PRIVATE", 1),
        &file!("ed25519").replace("PRIVATE", "PUBLIC"),
        &file!("p256").replace("PRIVATE", "EC PRIVATE"),
        &"-".repeat(1 << 20),
    ];
    for text in texts {
        let error = pem(Alg::EdDsa, text).unwrap_err();
        assert_eq!(error.setting(), "PEM key");
        assert!(error.problem().contains("`BEGIN PUBLIC KEY`"), "{error}");
    }
    for (text, found) in [(texts[0], "encrypted"), (texts[11], "more than one key")] {
        assert!(pem(Alg::EdDsa, text).unwrap_err().problem().contains(found));
    }
}

#[test]
fn cut_and_damaged_files_are_errors_and_no_panic() {
    for pair in PAIRS {
        let alg = pair.algs[0];
        for file in pair.private.iter().chain(pair.public) {
            let whole = body(file);
            for len in 0..whole.len() {
                assert!(der(alg, &whole[..len]).is_err(), "{alg} {len}");
            }
            let longer = [whole.as_slice(), &[0]].concat();
            assert!(der(alg, &longer).is_err(), "{alg}");
            for len in 0..file.trim_end().len() {
                assert!(pem(alg, &file[..len]).is_err(), "{alg} {len}");
            }
            // Every byte as a length that goes far beyond the end, among others. A changed number may
            // still be a key.
            let mut bytes = whole;
            for at in (0..bytes.len()).take(120) {
                let before = bytes[at];
                for value in [0, 0x7f, 0x80, 0x84, 0x88, 0xff, before ^ 1] {
                    bytes[at] = value;
                    let _ = der(alg, &bytes);
                }
                bytes[at] = before;
            }
            let mut text = file.as_bytes().to_vec();
            for at in (0..text.len()).take(200) {
                let before = text[at];
                for value in [b'\n', b'\r', b'=', b'-', b'A', b' '] {
                    text[at] = value;
                    let _ = pem(alg, std::str::from_utf8(&text).unwrap());
                }
                text[at] = before;
            }
        }
    }
    // A private key whose integer claims to fill the address space, and one of nothing but sequences.
    let huge = vec![
        0x30, 0x80, 0x02, 0x88, 0x7f, 255, 255, 255, 255, 255, 255, 255,
    ];
    let mut deep = Vec::new();
    for _ in 0..60 {
        deep.splice(0..0, [0x30, deep.len() as u8]);
    }
    for bytes in [huge, deep] {
        let armoured = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
            base64_simd::STANDARD.encode_to_string(&bytes)
        );
        for alg in [Alg::EdDsa, Alg::Es256, Alg::Rs256] {
            assert!(der(alg, &bytes).is_err());
            assert!(pem(alg, &armoured).is_err());
        }
    }
}
