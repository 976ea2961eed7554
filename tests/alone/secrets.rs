//! Secrets that are left in memory. The whole of it is photographed, and searched when all photographs have been taken.
//!
//! Until then nothing here holds a secret, except for the moment in which it is handed over. The library's derived
//! secrets are not computed.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::fs::FileExt,
    path::PathBuf,
};

use base64_simd::URL_SAFE_NO_PAD;
use ring::hmac;
use tower_bearer::{KeyRing, NoClaims, Timestamp, TokenCodec, token::Grant};
use zeroize::{Zeroize, Zeroizing};

use crate::profile::Profile;
use crate::world::{MASTER, World};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The secret of this number, made anew each time it is needed.
fn secret(number: u8, len: usize) -> Zeroizing<Vec<u8>> {
    let mut secret = Zeroizing::new(vec![0; len]);
    let mut state = u32::from(number) + 1;
    for byte in secret.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 16) as u8;
    }
    secret
}

/// All that this process has in memory, in a file.
struct Photograph(PathBuf);

impl Photograph {
    fn take(name: &str) -> Self {
        const PIECE: usize = 1 << 20;
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("memory-{}-{name}", std::process::id()));
        let (memory, mut file) = (
            File::open("/proc/self/mem").unwrap(),
            File::create(&path).unwrap(),
        );
        let mut buffer = vec![0; PIECE];
        let own = buffer.as_ptr().addr()..buffer.as_ptr().addr() + PIECE;
        for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            // A constant page holds no secret; devices and the kernel's pages cannot be read.
            if !rest.starts_with("rw") || rest.ends_with("[vvar]") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let address = |text| usize::from_str_radix(text, 16).unwrap();
            let (mut at, end) = (address(start), address(end));
            while at < end {
                if own.contains(&at) {
                    at = own.end;
                    continue;
                }
                let stop = if at < own.start {
                    end.min(own.start)
                } else {
                    end
                };
                let piece = &mut buffer[..PIECE.min(stop - at)];
                memory.read_exact_at(piece, at as u64).unwrap();
                file.write_all(piece).unwrap();
                at += piece.len();
            }
        }
        buffer.zeroize();
        Self(path)
    }

    fn read(self) -> Vec<u8> {
        let mut all = Vec::new();
        File::open(&self.0).unwrap().read_to_end(&mut all).unwrap();
        fs::remove_file(&self.0).unwrap();
        assert!(all.len() > 100_000);
        all
    }
}

fn count(memory: &[u8], secret: &[u8]) -> usize {
    let (first, rest) = secret.split_first().unwrap();
    let starts = memchr::memchr_iter(*first, memory);
    starts
        .filter(|at| memory[at + 1..].starts_with(rest))
        .count()
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

/// A thing to look for: its name, its bytes, and whether a live key consists of it.
type Wanted = (String, Vec<u8>, bool);

/// A secret and what the names of keys are derived from.
fn wanted(name: &str, secret: &[u8], lives: bool) -> Vec<Wanted> {
    let prk = mac(b"tower-bearer key name v1", secret);
    let text = URL_SAFE_NO_PAD.encode_to_string(secret).into_bytes();
    vec![
        (name.to_owned(), secret.to_vec(), lives),
        (format!("{name}, text"), text, false),
        (format!("{name}, name prk"), prk, false),
    ]
}

/// The keys that are derived of a secret of refresh cookies.
fn of_sessions(name: &str, secret: &[u8]) -> Vec<Wanted> {
    let prk = mac(b"tower-bearer session keys v1", secret);
    let labels = [
        "cookie sealing",
        "successor derivation",
        "subject tag",
        "csrf token",
        "jar cookie",
    ];
    let derived = labels.map(|label| {
        let key = mac(&prk, &[label.as_bytes(), &[1]].concat());
        (format!("{name}, {label}"), key, false)
    });
    let mut all = wanted(name, secret, false);
    all.push((format!("{name}, prk"), prk, false));
    all.extend(derived);
    all
}

fn codec(profile: Profile, ring: &KeyRing) -> TokenCodec {
    let builder = profile.codec(ring);
    let builder = builder.issuer("https://id.example").audience("api");
    builder.build().unwrap()
}

fn use_them(codecs: &[TokenCodec]) {
    let grant = Grant::new("user-1", &NoClaims {});
    for codec in codecs {
        for _ in 0..10 {
            let token = codec.mint_at(&grant, NOW).unwrap();
            codec.verify_at(token.as_str(), NOW).unwrap();
        }
    }
}

/// Builds a ring with `build`, uses it for tokens of `profiles`, drops it, and looks for what is left.
fn examine(profiles: &[Profile], build: fn() -> KeyRing, wanted: impl FnOnce() -> Vec<Wanted>) {
    let ring = build();
    let built = Photograph::take("built");
    let codecs: Vec<_> = profiles.iter().map(|p| codec(*p, &ring)).collect();
    use_them(&codecs);
    let used = Photograph::take("used");
    drop((ring, codecs));
    let dropped = Photograph::take("dropped");
    let photographs = [
        ("built", built.read(), true),
        ("used", used.read(), true),
        ("dropped", dropped.read(), false),
    ];
    let mut wrong = Vec::new();
    for (name, secret, lives) in wanted() {
        for (when, memory, alive) in &photographs {
            let found = count(memory, &secret);
            if found != usize::from(lives && *alive) {
                wrong.push(format!("{name}: {found} when {when}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A photograph shows what is there.
pub fn are_found_where_they_are() {
    let kept = secret(1, 32).to_vec();
    let photograph = Photograph::take("kept");
    let found = count(&photograph.read(), &kept);
    assert_eq!(found, 1);
}

pub fn of_a_master() {
    let build = || KeyRing::from_master(&secret(1, 32)).unwrap();
    examine(&[Profile::Nested, Profile::Encrypted], build, || {
        let master = &secret(1, 32);
        let prk = mac(b"tower-bearer master v1", master);
        let derived = |label: &str| mac(&prk, &[label.as_bytes(), &[1]].concat());
        let mut all = wanted("master", master, false);
        all.extend(wanted("signing", &derived("access signing"), false));
        all.extend(wanted("encryption", &derived("access encryption"), true));
        all.extend(of_sessions("refresh", &derived("refresh secret")));
        all.push(("prk".to_owned(), prk, false));
        all
    });
}

pub fn of_three_keys() {
    let build = || {
        let builder = KeyRing::builder().access_secret(&secret(1, 32));
        let builder = builder.encryption_key(&secret(2, 32));
        builder.refresh_secret(&secret(3, 32)).build().unwrap()
    };
    examine(&[Profile::Nested, Profile::Encrypted], build, || {
        let mut all = wanted("access", &secret(1, 32), false);
        all.extend(wanted("encryption", &secret(2, 32), true));
        all.extend(of_sessions("refresh", &secret(3, 32)));
        all
    });
}

/// Each cookie is sealed under a key of its own, which its salt leads to.
pub fn of_refresh_cookies() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let (mut cookies, mut photographs) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let world = World::new();
        let mut browser = world.browser();
        browser.login(&world, "ada").await;
        for n in 0..3 {
            photographs.push(Photograph::take(&format!("refreshed-{n}")));
            cookies.push(browser.cookie.clone().unwrap());
            world.secs(400);
            assert_eq!(browser.refresh(&world).await.status, 200);
        }
    });
    let photographs: Vec<_> = photographs.into_iter().map(Photograph::read).collect();
    let prk = mac(b"tower-bearer master v1", MASTER);
    let refresh = mac(&prk, b"refresh secret\x01");
    let sealing = mac(
        &mac(b"tower-bearer session keys v1", &refresh),
        b"cookie sealing\x01",
    );
    let mut wrong = Vec::new();
    for (n, cookie) in cookies.iter().enumerate() {
        let raw = URL_SAFE_NO_PAD.decode_to_vec(cookie).unwrap();
        let label = [&b"tower-bearer refresh cookie v1"[..], &raw[5..29], &[1]].concat();
        let key = mac(&sealing, &label);
        let found = photographs.iter().map(|memory| count(memory, &key));
        wrong.extend(
            found
                .enumerate()
                .filter(|(_, found)| *found > 0)
                .map(|found| (n, found)),
        );
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

pub fn of_jwks() {
    fn jwk(number: u8, len: usize, members: &str) -> Zeroizing<String> {
        let k = Zeroizing::new(URL_SAFE_NO_PAD.encode_to_string(&*secret(number, len)));
        // With room for all of it: a text that grew would leave its shorter self behind.
        let mut jwk = Zeroizing::new(String::with_capacity(256));
        for part in [
            r#"{"kty":"oct","#,
            members,
            r#","k":""#,
            k.as_str(),
            r#""}"#,
        ] {
            jwk.push_str(part);
        }
        jwk
    }
    let build = || {
        let builder = KeyRing::builder()
            .jwk(&jwk(1, 32, r#""alg":"dir","enc":"A256GCM","kid":"1""#))
            .jwk(&jwk(2, 16, r#""alg":"A128GCM","kid":"2""#))
            .jwk(&jwk(3, 64, r#""alg":"HS512","kid":"3""#))
            .jwk(&jwk(4, 32, r#""use":"refresh""#));
        builder.build().unwrap()
    };
    examine(&[Profile::Nested, Profile::Encrypted], build, || {
        let mut all = wanted("A256GCM", &secret(1, 32), true);
        all.extend(wanted("A128GCM", &secret(2, 16), true));
        all.extend(wanted("HS512", &secret(3, 64), false));
        all.extend(of_sessions("refresh", &secret(4, 32)));
        all
    });
}
