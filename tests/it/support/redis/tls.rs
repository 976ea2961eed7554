//! A server for TLS, and the certificates for it and for its clients.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

use super::{
    port::Port,
    process::args,
    server::{Launch, Server},
};

/// A server for TLS, with a CA made for it alone. It takes plain connections too, on another port,
/// for the test's own questions.
#[derive(Debug)]
pub(crate) struct TlsServer {
    server: Server,
    url: String,
    certificates: Certificates,
}

impl TlsServer {
    /// `clients` is Redis's `tls-auth-clients`.
    pub(super) async fn start(clients: &str) -> Self {
        let certificates = Certificates::new();
        let server = Server::launch(|folder| {
            let port = Port::reserve();
            let mut all = args(&["--tls-port", &port.number().to_string()]);
            all.extend(args(&["--tls-auth-clients", clients]));
            for (option, file, pem) in [
                ("--tls-ca-cert-file", "ca.pem", &certificates.ca),
                ("--tls-cert-file", "server.pem", &certificates.server.pem),
                ("--tls-key-file", "server.key", &certificates.server.key),
            ] {
                all.extend([option.into(), folder.write(file, pem).into()]);
            }
            Launch {
                args: all,
                more_ports: vec![port],
                ..Launch::default()
            }
        })
        .await;
        Self {
            url: format!("rediss://127.0.0.1:{}/", server.second_port()),
            server,
            certificates,
        }
    }

    /// The port for TLS.
    pub(crate) fn port(&self) -> u16 {
        self.server.second_port()
    }

    /// The address for TLS.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same server without TLS.
    pub(crate) fn plain(&self) -> &Server {
        &self.server
    }

    /// The certificate that clients have to trust.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.certificates.ca
    }

    pub(crate) fn client_pem(&self) -> &str {
        &self.certificates.client.pem
    }

    pub(crate) fn client_key_pem(&self) -> &str {
        &self.certificates.client.key
    }
}

#[derive(Debug)]
struct Certificates {
    ca: String,
    server: Pair,
    client: Pair,
}

/// A certificate and its key.
#[derive(Debug)]
struct Pair {
    pem: String,
    key: String,
}

impl Certificates {
    fn new() -> Self {
        let mut params = named("test CA", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let issue = |name, hosts, usage| {
            let mut params = named(name, hosts);
            params.insert_extended_key_usage(usage);
            let key = KeyPair::generate().unwrap();
            Pair {
                pem: params.signed_by(&key, &issuer).unwrap().pem(),
                key: key.serialize_pem(),
            }
        };
        Self {
            ca,
            server: issue(
                "test server",
                &["127.0.0.1", "localhost"],
                ExtendedKeyUsagePurpose::ServerAuth,
            ),
            client: issue("test client", &[], ExtendedKeyUsagePurpose::ClientAuth),
        }
    }
}

fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
