//! A network between a client and a server that fails when told to.
//!
//! It is our own, because the existing ones do not suffice. `noxious`, the only crate of this kind, had its last
//! release in April 2021, and it damages streams of bytes. A store has to be tested with an answer that is lost after
//! the command was carried out. This proxy therefore follows where requests and replies begin and end. It reads RESP,
//! so TLS does not go through it.

mod fault;
mod pump;
mod resp;

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use self::fault::{Mode, Rule};
use super::port::Port;

pub(crate) use self::fault::{Armed, Chaos, Loss, Which};

/// A proxy in front of a server. Its orders apply to connections old and new, from the next request or reply on. All of
/// it ends when it is dropped.
///
/// A connection that has swallowed something without being cut stays silent for good, also without further faults.
/// Otherwise the client would take the next reply for the one it waits for.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: Port,
    url: String,
    shared: Arc<Shared>,
    /// `None` while it refuses connections.
    accepting: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    upstream: u16,
    mode: Mutex<Mode>,
    rules: Mutex<Vec<Rule>>,
    /// `None` when the proxy is gone.
    connections: Mutex<Option<JoinSet<()>>>,
    accepted: AtomicU64,
    /// How many requests of each command came.
    requests: Mutex<HashMap<String, usize>>,
    disguise: Mutex<Option<Disguise>>,
}

/// Gives what the server is asked instead, where it is to be taken for another one.
type Disguise = fn(&[u8]) -> Option<Vec<u8>>;

impl Proxy {
    /// Stands in front of this port of loopback, and forwards.
    pub(crate) async fn to(upstream: u16) -> Self {
        let port = Port::reserve();
        let this = Self {
            url: format!("redis://127.0.0.1:{}/", port.number()),
            port,
            shared: Arc::new(Shared {
                upstream,
                mode: Mutex::new(Mode::Forward),
                rules: Mutex::default(),
                connections: Mutex::new(Some(JoinSet::new())),
                accepted: AtomicU64::new(0),
                requests: Mutex::default(),
                disguise: Mutex::default(),
            }),
            accepting: tokio::sync::Mutex::default(),
        };
        this.forward().await;
        this
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Good times again: takes connections and forwards, and forgets what was armed.
    pub(crate) async fn forward(&self) {
        self.set(Mode::Forward);
        self.shared.rules.lock().unwrap().clear();
        let mut accepting = self.accepting.lock().await;
        if accepting.is_none() {
            let address = (Ipv4Addr::LOCALHOST, self.port());
            let listener = TcpListener::bind(address).await.unwrap();
            *accepting = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        }
    }

    /// Each reply comes so much later.
    pub(crate) fn delay(&self, by: Duration) {
        self.set(Mode::Delay(by));
    }

    /// Each reply comes later by chance, by up to so much, and never before the one before.
    pub(crate) fn delay_up_to(&self, max: Duration, seed: u64) {
        self.chaos(Chaos {
            seed,
            delay_max: max,
            cut_probability: 0.0,
        });
    }

    /// Requests are swallowed and nothing is answered; connections are taken and stay open.
    pub(crate) fn black_hole(&self) {
        self.set(Mode::BlackHole);
    }

    /// Delays and cuts by chance.
    pub(crate) fn chaos(&self, chaos: Chaos) {
        self.set(Mode::Chaos(chaos));
    }

    /// Refuses connections from now on until [`forward`](Self::forward). Those that are there stay.
    pub(crate) async fn refuse(&self) {
        if let Some(task) = self.accepting.lock().await.take() {
            task.abort();
            // The listener is closed when this is over.
            let _ = task.await;
        }
    }

    /// Cuts all connections that are there.
    pub(crate) async fn cut(&self) {
        let cut = self
            .shared
            .connections
            .lock()
            .unwrap()
            .replace(JoinSet::new());
        cut.expect("this is not dropped").shutdown().await;
    }

    /// A request meets a loss, once. Several can be armed; one request meets one of them.
    pub(crate) fn arm(&self, loss: Loss, which: Which) -> Armed {
        let (rule, armed) = Rule::new(loss, which);
        self.shared.rules.lock().unwrap().push(rule);
        armed
    }

    /// The next request is carried out, its reply swallowed and the connection cut.
    pub(crate) fn drop_next_reply(&self) -> Armed {
        self.arm(Loss::Reply, Which::next())
    }

    /// The next request is carried out and its reply never comes, though the connection stays.
    pub(crate) fn hold_next_reply(&self) -> Armed {
        self.arm(Loss::Hold, Which::next())
    }

    /// Has the server asked something else instead of some requests, from now on, or no more.
    pub(crate) fn disguise(&self, disguise: Option<Disguise>) {
        *self.shared.disguise.lock().unwrap() = disguise;
    }

    /// How many connections came so far.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many requests came so far, those of clients' greetings included.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.lock().unwrap().values().sum()
    }

    /// How many requests of one command came so far, say of `EVALSHA`.
    pub(crate) fn requests_of(&self, command: &str) -> usize {
        let requests = self.shared.requests.lock().unwrap();
        requests.get(command).copied().unwrap_or(0)
    }

    fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(task) = self.accepting.get_mut().take() {
            task.abort();
        }
        // It may accept a last one while it is aborted, and then finds no server.
        self.shared.connections.lock().unwrap().take();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
        let connection = pump::connection(Arc::clone(&shared), number, client);
        let mut connections = shared.connections.lock().unwrap();
        let Some(connections) = connections.as_mut() else {
            return;
        };
        // Forget those that have ended.
        while connections.try_join_next().is_some() {}
        connections.spawn(connection);
    }
}

impl Shared {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    /// The request that the server gets instead of this one, if another.
    fn disguised(&self, request: &[u8]) -> Option<Vec<u8>> {
        let disguise = *self.disguise.lock().unwrap();
        disguise.and_then(|disguise| disguise(request))
    }

    fn count(&self, request: &[u8]) {
        let command = resp::command(request);
        *self.requests.lock().unwrap().entry(command).or_default() += 1;
    }

    /// Returns the armed rule for this request.
    fn meet(&self, request: &[u8]) -> Option<Rule> {
        fault::meet(&mut self.rules.lock().unwrap(), request)
    }
}
