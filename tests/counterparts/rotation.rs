//! An issuer that is not ours, `oidc-provider`, replaces its keys under load, and our verifier follows.

mod record;
mod service;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};

use self::{record::Record, service::Service};
use crate::issuer::{self, Issuer, Key};

/// No sooner than this after an answer, a token whose key is unknown causes the next request.
const COOL_DOWN: Duration = Duration::from_secs(1);
/// The longest that a set is relied on without another look.
const LIFETIME: Duration = Duration::from_secs(3);
/// A request for the keys takes this long at most, on a machine that has other things to do.
const SLACK: Duration = Duration::from_millis(600);

/// How many clients there are.
const CLIENTS: usize = 4;

const A: Key = ("a", "ES256");
const B: Key = ("b", "RS256");
const C: Key = ("c", "EdDSA");
const D: Key = ("d", "Ed25519");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_honest_token_is_refused_and_no_withdrawn_key_is_accepted() {
    let issuer = Issuer::start().await;
    let record = Arc::new(Record::new());
    let publish = async |keys: &[Key]| {
        issuer.publish(keys).await;
        record.published(keys.iter().map(|(kid, _)| *kid));
    };
    publish(&[A]).await;
    let service = Arc::new(Service::start(issuer.url()).await);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let load = load(client, issuer.clone(), service.clone(), record.clone());
        clients.spawn(load);
    }

    sleep(COOL_DOWN).await;
    // As it should be: announced until all have seen it, and then used.
    publish(&[A, B]).await;
    sleep(LIFETIME + SLACK).await;
    publish(&[B, A]).await;
    record.was_announced("b");
    sleep(COOL_DOWN).await;
    // In a hurry: used at once.
    publish(&[C, B, A]).await;
    sleep(COOL_DOWN + SLACK * 2).await;
    publish(&[C, B]).await;
    sleep(COOL_DOWN).await;
    // After a break-in: used at once, and all others withdrawn.
    publish(&[D]).await;
    sleep(LIFETIME + SLACK * 2).await;

    clients.abort_all();
    while let Some(ended) = clients.join_next().await {
        assert!(ended.is_err_and(|error| error.is_cancelled()));
    }
    println!("{record}");
    record.check(COOL_DOWN + SLACK, LIFETIME + SLACK);
}

/// A client that gets token after token. It asks with each at once, and in turn with the last one of each key
/// that there has been.
async fn load(client: usize, issuer: Issuer, service: Arc<Service>, record: Arc<Record>) {
    let mut tokens = BTreeMap::new();
    for turn in client.. {
        let token = issuer.token().await;
        let old = tokens.values().nth(turn % tokens.len().max(1)).cloned();
        tokens.insert(issuer::kid(&token), token.clone());
        for token in [Some(token), old].into_iter().flatten() {
            let begin = record.now();
            let status = service.status(&token).await;
            record.asked(&issuer::kid(&token), begin, status);
        }
        sleep(Duration::from_millis(2)).await;
    }
}
