//! The memory of a cache, counted by the allocator.

use allocation_counter::measure;
use tower_bearer::{NoClaims, TokenCache, TokenCodec, token::Grant};

use super::{MEBIBYTE, NOW, Role, builder, keys, minted, recalled, remembering};
use crate::support::profile::Profile;

/// The claims, the texts that they name, and one of the application's own.
#[test]
fn a_hit_allocates_what_a_verification_does() {
    let codec = remembering(&keys(1));
    let token = minted(&codec, Some("s-1"));
    codec.verify_at(&token, NOW).unwrap();
    let counted = measure(|| drop(codec.verify_at(&token, NOW).unwrap()));
    assert_eq!(codec.cache().unwrap().hits(), 1);
    assert_eq!(counted.count_total, 3, "{counted:?}");
}

/// Puts `n` distinct good tokens into a cache of `max` bytes, and tells how many bytes it takes. That is when it is
/// empty, at the most while it is filled, and at the end. Also tells how many tokens it then has.
fn flood<C>(max: usize, n: usize, custom: impl Fn(usize) -> C) -> [usize; 4]
where
    C: serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static,
{
    let ring = keys(1);
    let mints: TokenCodec<C> = builder(Profile::Encrypted, &ring).build().unwrap();
    let token = |n: usize| {
        let (subject, custom) = (format!("user-{n}"), custom(n));
        let grant = Grant::new(&subject, &custom).session("Zk3J8qLxR2uV0wYt5aBcDg");
        mints.mint_at(&grant, NOW).unwrap()
    };
    let mut codec = None;
    let empty = measure(|| {
        let builder = builder::<C>(Profile::Encrypted, &ring).cache(TokenCache::new(max));
        codec = Some(builder.build().unwrap());
    });
    let codec = codec.unwrap();
    let mut told = 0;
    let full = measure(|| {
        for n in 0..n {
            codec.verify_at(token(n).as_str(), NOW).unwrap();
            if n % 1000 == 0 {
                told = told.max(codec.cache().unwrap().bytes());
            }
        }
    });
    let cache = codec.cache().unwrap();
    assert!(told <= max && cache.bytes() <= max);
    let base = usize::try_from(empty.bytes_current).unwrap();
    [
        base,
        // Tokens that are minted and verified take their part as well; a few kilobytes.
        base + full.bytes_max as usize,
        base + usize::try_from(full.bytes_current).unwrap(),
        cache.len(),
    ]
}

/// With types of several makes: nothing, a short text, a long text, many pieces.
#[test]
fn a_flood_of_good_tokens_never_grows() {
    let report = |name: &str, max: usize, [empty, most, end, len]: [usize; 4]| {
        let each = (end - empty) / len;
        println!(
            "{name}: {max} promised, {empty} empty, {most} at most, {end} at the end, {len} tokens of {} bytes, {each} hanging",
            end / len
        );
        assert!(most < max + 32 * 1024, "{name}: {most} of {max}");
        assert!(end <= max, "{name}: {end} of {max}");
        assert!(end > max * 7 / 10, "{name}: {end} of {max}");
    };
    for max in [MEBIBYTE, 8 * MEBIBYTE] {
        let n = if max == MEBIBYTE { 100_000 } else { 40_000 };
        report("nothing", max, flood(max, n, |_| NoClaims {}));
        let role = |n: usize| Role {
            role: format!("editor of {n}"),
        };
        report("a text", max, flood(max, n, role));
        let text = |n: usize| Role {
            role: n.to_string().repeat(100),
        };
        report("a long text", max, flood(max, 10_000, text));
        let many = |n: usize| -> std::collections::BTreeMap<String, Vec<String>> {
            let one = |key: usize| (format!("key-{key}"), vec![n.to_string(); 3]);
            (0..4).map(one).collect()
        };
        report("many pieces", max, flood(max, 40_000, many));
    }
}

/// A token in use survives a flood of tokens that are seen once.
#[test]
fn a_flood_does_not_wash_out_what_is_in_use() {
    let codec = remembering(&keys(1));
    let token = minted(&codec, Some("s-1"));
    codec.verify_at(&token, NOW).unwrap();
    let mut again = 0;
    for n in 0..20_000 {
        codec.verify_at(&minted(&codec, None), NOW).unwrap();
        if n % 100 == 0 {
            again += usize::from(!recalled(&codec, &token, NOW));
        }
    }
    assert!(again < 5, "verified anew {again} times");
}
