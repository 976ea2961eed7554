//! Over TLS: who vouches for the issuer.

use std::error::Error;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer as Ca, KeyPair};
use tower_bearer::jwks::{JwksError, JwksErrorKind, RemoteIssuer};

use super::{
    Api,
    discovery::{OPENID, document},
    issuer::{Issuer, Reply},
    signer,
};

/// A CA, and what it says of a server at `host`.
struct Vouched {
    ca: String,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Vouched {
    fn new(host: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap().pem();
        let issuer = Ca::new(params, key);
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        Self {
            ca,
            certificate: params.signed_by(&key, &issuer).unwrap().der().to_vec(),
            key: key.serialize_der(),
        }
    }

    async fn issuer(&self, reply: Reply) -> Issuer {
        Issuer::start_tls(reply, self.certificate.clone(), self.key.clone()).await
    }
}

fn chain(error: &JwksError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn an_issuer_that_the_given_root_vouches_for() {
    let key = signer("a", 1);
    let vouched = Vouched::new("127.0.0.1");
    let issuer = vouched.issuer(Reply::set(key.jwks())).await;
    assert!(issuer.url().starts_with("https://"));
    let api = Api::with(issuer.url(), |b| b.root_certificates(vouched.ca.clone()));
    api.keys.refresh().await.unwrap();
    assert_eq!(api.status(&api.token(&key)).await, 200);
    // Two of them, as while a root is replaced.
    let two = format!("{}{}", Vouched::new("x").ca, vouched.ca);
    let api = Api::with(issuer.url(), |b| b.root_certificates(two));
    api.keys.refresh().await.unwrap();
}

/// An attacker may be on the way to this machine's other programs, and not on that to the issuer.
#[tokio::test]
async fn an_issuer_that_is_found_by_its_name_stays_with_tls() {
    let vouched = Vouched::new("127.0.0.1");
    let issuer = vouched.issuer(Reply::set(signer("a", 1).jwks())).await;
    let (name, keys) = (issuer.origin(), issuer.url());
    issuer.says_at(OPENID, Reply::set(document(&name, &keys)));
    let found = || RemoteIssuer::builder(&name).root_certificates(vouched.ca.clone());
    let good = found().build().unwrap();
    good.refresh().await.unwrap();
    assert_eq!(good.health().keys(), 1);

    let plain = Issuer::start(Reply::set(signer("b", 2).jwks())).await;
    issuer.says_at(OPENID, Reply::set(document(&name, &plain.url())));
    let error = found().build().unwrap().refresh().await.unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::Metadata);
    assert!(
        error.to_string().contains("must be https as the issuer is"),
        "{error}"
    );
    assert_eq!(plain.requests(), 0);
    let mesh = found().dangerous_plain_http().build().unwrap();
    mesh.refresh().await.unwrap();
    assert_eq!(plain.requests(), 1);
}

#[tokio::test]
async fn an_issuer_with_an_untrusted_certificate() {
    let vouched = Vouched::new("127.0.0.1");
    let issuer = vouched.issuer(Reply::set(signer("a", 1).jwks())).await;
    let stranger = Vouched::new("127.0.0.1").ca;
    let api = Api::with(issuer.url(), |b| b.root_certificates(stranger));
    let error = api.keys.refresh().await.unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::Connection);
    assert!(chain(&error).contains("certificate"), "{}", chain(&error));
    let text = error.to_string();
    assert!(text.contains("`root_certificates` names"), "{text}");
    assert_eq!(issuer.requests(), 0);
    assert!(!api.keys.health().is_ready());
}

#[tokio::test]
async fn a_certificate_for_another_host() {
    let vouched = Vouched::new("id.example");
    let issuer = vouched.issuer(Reply::set(signer("a", 1).jwks())).await;
    let api = Api::with(issuer.url(), |b| b.root_certificates(vouched.ca.clone()));
    let error = api.keys.refresh().await.unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::Connection);
    assert_eq!(issuer.requests(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls() {
    let issuer = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
    let url = issuer.url().replace("http:", "https:");
    let ca = Vouched::new("127.0.0.1").ca;
    let api = Api::with(url, |b| b.root_certificates(ca));
    let text = api.keys.refresh().await.unwrap_err().to_string();
    assert!(text.contains("does the server speak https"), "{text}");
}
