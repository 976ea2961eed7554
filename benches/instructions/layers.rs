//! Layers and the store in memory.

use std::hint::black_box;

use http::StatusCode;
use tower::Layer;
use tower_bearer::{BearerAuthLayer, ManualClock, store::Swap};

use crate::support::profile::Profile;
use crate::{
    case::Case,
    support::{
        browser::get,
        keys,
        memory::Store,
        refreshing::Refreshing,
        services::{Nothing, answer},
        sessions::{NOW, session},
        tokens::{Custom, builder, custom, minted, tampered},
    },
};

pub fn cases() -> Vec<Case> {
    let codec = builder::<Custom>(Profile::Nested, &keys::shared()).clock(ManualClock::new(NOW));
    let codec = codec.build().unwrap();
    let token = minted(&codec, &custom());
    let layer = BearerAuthLayer::new(codec);
    let tampered = tampered(&token);
    let unauthorized = StatusCode::UNAUTHORIZED;
    vec![
        bearer("layers/bearer/nested", &layer, Some(&token), StatusCode::OK),
        bearer(
            "layers/bearer/refused",
            &layer,
            Some(&tampered),
            unauthorized,
        ),
        bearer("layers/bearer/missing", &layer, None, unauthorized),
        load_swap(),
        refresh("layers/refresh/whole", 3),
    ]
}

/// The layer around a service that does nothing. The request is made beforehand.
fn bearer(
    name: &'static str,
    layer: &BearerAuthLayer<Custom>,
    token: Option<&str>,
    status: StatusCode,
) -> Case {
    let request = get(token);
    Case::prepared(
        name,
        layer.layer(Nothing),
        move |_| request.clone(),
        move |service, request| black_box(answer(service, request)).status() == status,
    )
}

/// One rotation, as the store sees it.
fn load_swap() -> Case {
    let (store, _) = Store::new();
    let pair = [session(1, 1, 3600), session(1, 2, 3600)];
    store.insert(&pair[0]);
    Case::prepared(
        "store/memory/load_swap",
        (store, pair),
        // To and fro between the two.
        |(_, pair)| pair.reverse(),
        |(store, [next, current]), ()| {
            let loaded = store.load(&current.key()).into_record();
            let swap = store.swap(&loaded.unwrap(), next);
            matches!(swap, Swap::Applied)
        },
    )
}

/// A whole refresh, after so many rotations.
pub fn refresh(name: &'static str, rotations: usize) -> Case {
    let mut refreshing = Refreshing::new(1, rotations);
    refreshing.check();
    Case::prepared(
        name,
        refreshing,
        |refreshing| refreshing.requests().remove(0),
        |refreshing, request| refreshing.refresh(request).status() == StatusCode::OK,
    )
}
