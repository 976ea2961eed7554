//! The example, and nginx before it with the example's own configuration.

use std::{fs, sync::LazyLock, time::Duration};

use tokio::{
    net::{TcpStream, UnixStream},
    process::Command,
    time::{Instant, sleep},
};
use tower_bearer::{Clock, KeyRing, ManualClock, NoClaims, SystemClock, TokenCodec};

use super::wire::{Answer, Ask};
use crate::{
    process::{Folder, PATIENCE, Process},
    program, proxies,
};

static PROGRAM: LazyLock<String> = LazyLock::new(|| program::built("forward_auth"));

/// As a newcomer copies it.
pub(super) const CONFIGURATION: &str = include_str!("../../../examples/forward_auth/nginx.conf");

/// The page, where nginx asks with all headers of the client's, as many instructions have it.
pub(super) const ALL_HEADERS: &str = "/all-headers/";
/// The page, where nginx asks with the client's method besides.
pub(super) const AS_SENT: &str = "/as-sent/";
/// A file that nginx serves by itself.
pub(super) const FILE: &str = "/files/payroll.txt";
/// Its content.
pub(super) const TEXT: &str = "Payroll: 4711\n";

/// The test adds this to the configuration.
const MORE: &str = "
    location = /_check-all-headers {
      internal;
      proxy_pass http://127.0.0.1:3000/check;
      proxy_pass_request_body off;
      proxy_set_header Content-Length '';
      proxy_set_header X-Original-URI $request_uri;
    }

    location = /_check-as-sent {
      internal;
      proxy_pass http://127.0.0.1:3000/check;
      proxy_method $request_method;
      proxy_pass_request_body off;
      proxy_set_header Content-Length '';
      proxy_set_header Content-Type $http_content_type;
    }

    location /all-headers/ {
      auth_request /_check-all-headers;
      auth_request_set $auth_subject $upstream_http_x_auth_subject;
      proxy_set_header X-Auth-Subject $auth_subject;
      proxy_pass http://127.0.0.1:8080;
    }

    location /as-sent/ {
      auth_request /_check-as-sent;
      auth_request_set $auth_subject $upstream_http_x_auth_subject;
      proxy_set_header X-Auth-Subject $auth_subject;
      proxy_pass http://127.0.0.1:8080;
    }

    location /files/ {
      auth_request /_check;
      root .;
    }
";

/// Keys of the example, which it shares with the issuer of its tokens: here, the test.
const KEYS: &str = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"xJ0vTqfTAvb6Q9bUgzYZGcB2LUuSo5mlQ6m_e9XOWAk"}]}"#;

/// Example and nginx, which end with this value.
pub(super) struct Place {
    check: String,
    page: String,
    _example: Process,
    _nginx: Process,
    folder: Folder,
}

impl Place {
    /// With a folder of this name.
    pub(super) async fn new(name: &str) -> Self {
        let program = tokio::task::spawn_blocking(|| &*PROGRAM).await.unwrap();
        let mut command = Command::new(program);
        command
            .env("TOWER_BEARER_KEYS", KEYS)
            .env("CHECK_ADDR", "127.0.0.1:0")
            .env("PAGE_ADDR", "127.0.0.1:0");
        for name in ["ACCESS_SECRET", "ENCRYPTION_KEY", "REFRESH_SECRET"] {
            command.env_remove(name);
        }
        let mut example = Process::start(&mut command).unwrap();
        let mut address = async || {
            let rest = example.says("Open http://").await;
            rest.split(' ').next().unwrap().to_owned()
        };
        let (check, page) = (address().await, address().await);
        let folder = Folder::new(name);
        let nginx = start_nginx(&folder, &check, &page).await;
        Self {
            check,
            page,
            _example: example,
            _nginx: nginx,
            folder,
        }
    }

    /// Asks nginx.
    pub(super) async fn nginx(&self, ask: Ask) -> Answer {
        let socket = self.folder.path().join("socket");
        ask.on(UnixStream::connect(socket).await.unwrap()).await
    }

    /// Asks the example as nginx does.
    pub(super) async fn check(&self, ask: Ask) -> Answer {
        ask.on(TcpStream::connect(&self.check).await.unwrap()).await
    }

    /// Asks the page past nginx.
    pub(super) async fn page(&self, ask: Ask) -> Answer {
        ask.on(TcpStream::connect(&self.page).await.unwrap()).await
    }

    /// A good token, for `alice`.
    pub(super) fn token(&self) -> String {
        mint(&keys(), Duration::ZERO)
    }

    /// One that was good yesterday.
    pub(super) fn expired(&self) -> String {
        mint(&keys(), Duration::from_secs(86_400))
    }
}

/// A token with the same names in it, by another key.
pub(super) fn token_of_another() -> String {
    mint(&KeyRing::generate().unwrap(), Duration::ZERO)
}

fn keys() -> KeyRing {
    KeyRing::builder().jwks(KEYS).build().unwrap()
}

fn mint(keys: &KeyRing, ago: Duration) -> String {
    let then = SystemClock.now().as_secs() - ago.as_secs();
    let codec = TokenCodec::signed(keys)
        .issuer("https://id.example")
        .audience("payroll")
        .clock(ManualClock::new(tower_bearer::Timestamp::from_secs(then)))
        .build()
        .unwrap();
    let token = codec.mint("alice", &NoClaims {}).unwrap();
    token.as_str().to_owned()
}

/// The example's configuration with other addresses. A socket in the folder cannot be taken by another
/// process, as a free port can.
fn configuration(folder: &Folder, check: &str, page: &str) -> String {
    let socket = format!("unix:{}", folder.path().join("socket").display());
    let all = "    location / {";
    let changes = [
        ("127.0.0.1:8000", socket.as_str()),
        (all, &format!("{MORE}\n{all}")),
        ("127.0.0.1:3000", check),
        ("127.0.0.1:8080", page),
    ];
    changes
        .iter()
        .fold(CONFIGURATION.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "`{from}` is gone");
            text.replace(from, to)
        })
}

async fn start_nginx(folder: &Folder, check: &str, page: &str) -> Process {
    let path = folder.path();
    fs::create_dir(path.join("files")).unwrap();
    fs::write(path.join("files/payroll.txt"), TEXT).unwrap();
    fs::write(path.join("nginx.conf"), configuration(folder, check, page)).unwrap();
    let mut nginx = Process::start(&mut proxies::nginx(path).into()).unwrap();
    let begin = Instant::now();
    while UnixStream::connect(path.join("socket")).await.is_err() {
        let late = begin.elapsed() > PATIENCE;
        assert!(
            !late && !nginx.has_ended(),
            "nginx does not start: {:?}",
            nginx.err()
        );
        sleep(Duration::from_millis(10)).await;
    }
    nginx
}
