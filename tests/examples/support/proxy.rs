//! nginx and HAProxy, each with a few lines of configuration. These name the service that stands behind the
//! proxy `127.0.0.1:3000`, and get the address that it has here.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::mpsc::{Receiver, channel},
    thread,
};

use rcgen::CertifiedKey;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::{Browser, PATIENCE, Port, Program, proxies};

/// A proxy on a port of its own, which ends with this value.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: Port,
    /// Of the service behind it.
    service: Port,
    /// Of the proxy that ends TLS.
    certificate: Option<CertificateDer<'static>>,
    folder: TempDir,
    _program: Option<Program>,
}

impl Proxy {
    /// nginx with one server and these lines in it.
    pub(crate) async fn nginx(lines: &str) -> Self {
        Self::new().run_nginx("", lines).await
    }

    /// The same, asked over TLS.
    pub(crate) async fn nginx_with_tls(lines: &str) -> Self {
        let tls = " ssl; ssl_certificate tls.pem; ssl_certificate_key tls.pem";
        Self::with_certificate().run_nginx(tls, lines).await
    }

    async fn run_nginx(self, tls: &str, lines: &str) -> Self {
        let port = self.port.number();
        let configuration = format!(
            "daemon off;
            pid nginx.pid;
            events {{}}
            http {{
              access_log off;
              client_body_temp_path body;
              fastcgi_temp_path fastcgi;
              proxy_temp_path proxy;
              scgi_temp_path scgi;
              uwsgi_temp_path uwsgi;
              server {{
                listen 127.0.0.1:{port}{tls};
                {lines}
              }}
            }}"
        );
        self.write("nginx.conf", &configuration);
        let mut command = proxies::nginx(self.folder.path());
        self.run(&mut command).await
    }

    /// HAProxy with one address to listen at and these lines behind it.
    pub(crate) async fn haproxy(lines: &str) -> Self {
        Self::new().run_haproxy("", lines).await
    }

    /// The same, asked over TLS.
    pub(crate) async fn haproxy_with_tls(lines: &str) -> Self {
        let tls = " ssl crt tls.pem";
        Self::with_certificate().run_haproxy(tls, lines).await
    }

    async fn run_haproxy(self, tls: &str, lines: &str) -> Self {
        let port = self.port.number();
        let configuration = format!(
            "defaults
              mode http
              timeout connect 30s
              timeout client 30s
              timeout server 30s
            listen demo
              bind 127.0.0.1:{port}{tls}
              {lines}\n"
        );
        self.write("haproxy.cfg", &configuration);
        let mut command = Command::new(proxies::installed("haproxy"));
        command
            .current_dir(self.folder.path())
            .args(["-db", "-f", "haproxy.cfg"]);
        self.run(&mut command).await
    }

    fn new() -> Self {
        Self {
            port: Port::reserve(),
            service: Port::reserve(),
            certificate: None,
            folder: tempfile::tempdir().unwrap(),
            _program: None,
        }
    }

    /// One with a certificate of its own, which the system does not know.
    fn with_certificate() -> Self {
        let mut proxy = Self::new();
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        proxy.write("tls.pem", &(cert.pem() + &signing_key.serialize_pem()));
        proxy.certificate = Some(cert.der().clone());
        proxy
    }

    fn write(&self, name: &str, text: &str) {
        let text = text.replace("127.0.0.1:3000", &self.service());
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    async fn run(mut self, command: &mut Command) -> Self {
        let program = Program::listens(command, self.port.number()).await;
        self._program = Some(program);
        self
    }

    /// The address at which it looks for its service, which need not be there yet.
    pub(crate) fn service(&self) -> String {
        format!("127.0.0.1:{}", self.service.number())
    }

    /// Where the browser finds it.
    pub(crate) fn url(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://127.0.0.1:{}", self.port.number())
    }

    /// A browser that knows its certificate.
    pub(crate) fn browser(&self) -> Browser {
        Browser::trusting(self.certificate.clone(), self.url())
    }
}

/// A service that answers everything with nothing, and tells the heads of the requests.
#[derive(Debug)]
pub(crate) struct Upstream {
    heads: Receiver<Vec<String>>,
}

impl Upstream {
    pub(crate) fn behind(proxy: &Proxy) -> Self {
        let listener = TcpListener::bind(proxy.service()).unwrap();
        let (send, heads) = channel();
        // Waits for a connection more when the test is over, and ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let head = answer(stream.unwrap());
                if send.send(head).is_err() {
                    return;
                }
            }
        });
        Self { heads }
    }

    /// The lines of the next request up to its body, in lower case and sorted.
    pub(crate) fn head(&self) -> Vec<String> {
        self.heads.recv_timeout(PATIENCE).expect("a request")
    }
}

fn answer(mut stream: TcpStream) -> Vec<String> {
    let lines = BufReader::new(&stream).lines().map(Result::unwrap);
    let lines = lines.map(|line| line.to_ascii_lowercase());
    let mut head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    head.sort();
    let nothing = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    stream.write_all(nothing.as_bytes()).unwrap();
    head
}
