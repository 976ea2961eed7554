//! The comparisons, and the aims.

use crate::{refused, rounds::Series, statistics::Summary};

/// One side of a ratio.
#[derive(Clone, Copy)]
pub enum Side {
    /// The time of a case.
    Of(&'static str),
    /// The extra time of a case over the bare one with the same head.
    Added(&'static str, &'static str),
    /// Whichever of two is faster on the whole: it is chosen once, not in every round.
    Faster(&'static Side, &'static Side),
}

#[derive(Clone, Copy)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// A ratio of two times.
pub struct Aim {
    pub name: &'static str,
    above: Side,
    below: Side,
    pub bound: Bound,
}

/// A number of allocations: the largest among some cases.
pub struct Count {
    pub name: &'static str,
    cases: &'static [&'static str],
    pub bound: Bound,
}

use Bound::{AtLeast, AtMost};
use Side::{Added, Faster, Of};

const FLOOR: Side = Of("floor_nested");
const NESTED: Side = Of("nested_hs256");
const SIGNED: Side = Of("signed_hs256");
const ENCRYPTED: Side = Of("encrypted");

const JOSEKIT: Side = Of("josekit_nested");
const JOSEKIT_PARALLEL: Side = Of("josekit_nested@2threads");
const JSONWEBTOKEN_HS256: Side = Faster(
    &Of("jsonwebtoken_hs256_aws_lc"),
    &Of("jsonwebtoken_hs256_rust_crypto"),
);
const JSONWEBTOKEN_EDDSA: Side = Faster(
    &Of("jsonwebtoken_eddsa_aws_lc"),
    &Of("jsonwebtoken_eddsa_rust_crypto"),
);

const AXUM_NESTED: Side = Added("axum_nested", "axum_bare_nested");
const AXUM_CACHED: Side = Added("axum_cached", "axum_bare_cached");
const AXUM_REFUSED: Side = Added("axum_refused", "axum_bare_foreign");
const AXUM_FROM_FN: Side = Added("axum_from_fn", "axum_bare_nested");
const AXUM_JSONWEBTOKEN: Side = Faster(
    &Added(
        "axum_jsonwebtoken_hs256_aws_lc",
        "axum_bare_jsonwebtoken_aws_lc",
    ),
    &Added(
        "axum_jsonwebtoken_hs256_rust_crypto",
        "axum_bare_jsonwebtoken_rust_crypto",
    ),
);
const AXUM_TOWER_SESSIONS: Side = Added("axum_tower_sessions", "axum_bare_cookie");
const ORIGIN_GUARD: Side = Added("origin_guard", "axum_bare_origin");
const TOWER_HTTP_CSRF: Side = Added("tower_http_csrf", "axum_bare_origin");

const fn aim(name: &'static str, above: Side, below: Side, bound: Bound) -> Aim {
    Aim {
        name,
        above,
        below,
        bound,
    }
}

#[rustfmt::skip] // A table is read by its columns.
pub const AIMS: &[Aim] = &[
    aim("nested_hs256/floor", NESTED, FLOOR, AtMost(1.2)),
    aim("nested_hs256_custom/floor", Of("nested_hs256_custom"), FLOOR, AtMost(1.55)),
    aim("encrypted/floor", ENCRYPTED, Of("floor_encrypted"), AtMost(1.25)),
    aim("signed_hs256/floor", SIGNED, Of("floor_signed"), AtMost(1.2)),
    aim("eddsa/raw", Of("eddsa"), Of("raw_eddsa"), AtMost(1.05)),
    aim("es256/raw", Of("es256"), Of("raw_es256"), AtMost(1.04)),
    aim("rs256/raw", Of("rs256"), Of("raw_rs256"), AtMost(1.08)),
    aim("josekit_nested/nested_hs256", JOSEKIT, NESTED, AtLeast(10.0)),
    aim("josekit_nested/nested_hs256@2threads", JOSEKIT_PARALLEL, Of("nested_hs256@2threads"), AtLeast(16.0)),
    aim("jsonwebtoken_hs256/nested_hs256", JSONWEBTOKEN_HS256, NESTED, AtLeast(2.7)),
    aim("jsonwebtoken_hs256/encrypted", JSONWEBTOKEN_HS256, ENCRYPTED, AtLeast(6.0)),
    aim("jsonwebtoken_hs256/signed_hs256", JSONWEBTOKEN_HS256, SIGNED, AtLeast(3.7)),
    aim("jwt_simple_hs256/signed_hs256", Of("jwt_simple_hs256"), SIGNED, AtLeast(6.3)),
    // A hit takes 650 ns at most, where the other takes 40 microseconds.
    aim("jsonwebtoken_eddsa/cached_eddsa", JSONWEBTOKEN_EDDSA, Of("cached_eddsa"), AtLeast(60.0)),
    aim("axum_nested_added/axum_jsonwebtoken_hs256_added", AXUM_NESTED, AXUM_JSONWEBTOKEN, AtMost(0.35)),
    aim("axum_nested_added/axum_tower_sessions_added", AXUM_NESTED, AXUM_TOWER_SESSIONS, AtMost(0.55)),
    // With a shared secret the cache spares little; it must not cost anything.
    aim("axum_cached_added/axum_nested_added", AXUM_CACHED, AXUM_NESTED, AtMost(1.0)),
    aim("axum_refused_added/axum_from_fn_added", AXUM_REFUSED, AXUM_FROM_FN, AtMost(1.05)),
    aim("origin_guard_added/tower_http_csrf_added", ORIGIN_GUARD, TOWER_HTTP_CSRF, AtMost(1.1)),
    aim("mint_nested/floor", Of("mint_nested"), Of("floor_mint"), AtMost(1.25)),
];

pub const COUNTS: &[Count] = &[
    Count {
        name: "allocs_nested",
        cases: &["nested_hs256"],
        // The claims and the texts that they name.
        bound: AtMost(2.0),
    },
    Count {
        name: "allocs_refused",
        cases: refused::NAMES,
        bound: AtMost(0.0),
    },
];

impl Bound {
    pub fn is_met(self, value: f64) -> bool {
        match self {
            AtMost(most) => value <= most,
            AtLeast(least) => value >= least,
        }
    }
}

impl Aim {
    /// Returns the ratio of every round; nothing when one of its cases was not measured.
    pub fn summary(&self, series: &[Series]) -> Option<Summary> {
        let (above, below) = (self.above.figures(series)?, self.below.figures(series)?);
        let ratios = above.iter().zip(&below).map(|(above, below)| above / below);
        Summary::of(&ratios.collect::<Vec<_>>())
    }
}

impl Count {
    /// Returns nothing when they were not counted.
    pub fn value(&self, series: &[Series]) -> Option<u64> {
        let ours = series.iter().filter(|one| self.cases.contains(&&*one.name));
        ours.filter_map(|one| one.allocations).max()
    }
}

impl Side {
    fn figures(self, series: &[Series]) -> Option<Vec<f64>> {
        let find = |name| series.iter().find(|one| one.name == name);
        match self {
            Of(name) => Some(find(name)?.nanos.clone()),
            Added(name, bare) => {
                let (with, bare) = (&find(name)?.nanos, &find(bare)?.nanos);
                let added = with.iter().zip(bare).map(|(with, bare)| with - bare);
                Some(added.collect())
            }
            Faster(one, other) => {
                let (one, other) = (one.figures(series)?, other.figures(series)?);
                let faster = Summary::of(&one)?.median <= Summary::of(&other)?.median;
                Some(if faster { one } else { other })
            }
        }
    }
}
