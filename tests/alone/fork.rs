//! A process that has minted forks: neither copy may use an IV or a `jti` of the other.
//!
//! An IV that comes twice under one AES-GCM key gives both plaintexts and the key of the tag away.

use std::{
    collections::HashSet,
    io::{Read, Write, pipe},
    process::exit,
};

use crate::profile::Profile;
use fork::{Fork, fork, waitpid};
use tower_bearer::{KeyRing, NoClaims, TokenCodec};

/// How many tokens of each form a process mints at a time.
const TOKENS: usize = 50;

pub fn nothing_is_drawn_twice() {
    let ring = KeyRing::generate().unwrap();
    let codecs = [Profile::Nested, Profile::Encrypted].map(|profile| codec(profile, &ring));
    // A process that has minted nothing yet has drawn nothing that a fork could repeat.
    let mut drawn = drawn(&codecs);
    let mut children = Vec::new();
    for _ in 0..2 {
        let (mut reader, mut writer) = pipe().unwrap();
        match fork().unwrap() {
            Fork::Child => {
                let lines = self::drawn(&codecs).join("\n");
                writer.write_all(lines.as_bytes()).unwrap();
                exit(0);
            }
            Fork::Parent(pid) => {
                drop(writer);
                let mut lines = String::new();
                reader.read_to_string(&mut lines).unwrap();
                assert_eq!(waitpid(pid).unwrap(), 0, "the child failed");
                children.extend(lines.lines().map(str::to_owned));
            }
        }
    }
    drawn.extend(self::drawn(&codecs));
    drawn.extend(children);
    // Four times, with an IV and a `jti` for each token of either form.
    let all = drawn.len();
    assert_eq!(all, 4 * 2 * 2 * TOKENS);
    let different = drawn.into_iter().collect::<HashSet<_>>().len();
    assert_eq!(different, all, "{} were drawn again", all - different);
}

fn codec(profile: Profile, ring: &KeyRing) -> TokenCodec {
    let builder = profile.codec(ring);
    let builder = builder.issuer("https://id.example").audience("api");
    builder.build().unwrap()
}

/// The IV and the `jti` of tokens that are minted now.
fn drawn(codecs: &[TokenCodec]) -> Vec<String> {
    let mut drawn = Vec::new();
    for codec in codecs {
        for _ in 0..TOKENS {
            let token = codec.mint("user-1", &NoClaims {}).unwrap();
            let claims = codec.verify(token.as_str()).unwrap();
            drawn.push(claims.token_id().unwrap().to_owned());
            drawn.push(token.as_str().split('.').nth(2).unwrap().to_owned());
        }
    }
    drawn
}
