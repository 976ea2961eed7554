//! A network between a store and its server that fails when told to.
//!
//! A client sends a request in one piece and then waits. So a piece is a request. The next one from the other side is
//! its answer, or the beginning of it.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::port::Port;

/// In front of a server. All of it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: Port,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: AtomicU16,
    mode: Mutex<Mode>,
    rule: Mutex<Option<Rule>>,
    connections: Mutex<JoinSet<()>>,
    accepted: AtomicUsize,
    requests: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Forward,
    /// Takes everything and gives nothing.
    Silent,
    Chaos(Chaos),
}

/// Delays and cuts by chance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chaos {
    pub(crate) seed: u64,
    pub(crate) delay_max: Duration,
    /// How likely it is for each piece that the connection is cut there, after a part of it or none.
    pub(crate) cut_probability: f64,
}

/// The piece that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection is cut before the request reaches the server.
    Request,
    /// The server has answered; the connection is cut instead.
    Reply,
}

type Which = fn(&[u8]) -> bool;

#[derive(Debug)]
struct Rule {
    loss: Loss,
    which: Which,
    struck: watch::Sender<bool>,
}

/// Tells whether a loss has come about.
#[derive(Debug)]
pub(crate) struct Armed(watch::Receiver<bool>);

impl Armed {
    pub(crate) fn has_struck(&self) -> bool {
        *self.0.borrow()
    }
}

impl Proxy {
    pub(crate) async fn to(upstream: u16) -> Self {
        let port = Port::reserve();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.number()))
            .await
            .unwrap();
        let shared = Arc::new(Shared {
            upstream: AtomicU16::new(upstream),
            mode: Mutex::new(Mode::Forward),
            rule: Mutex::default(),
            connections: Mutex::default(),
            accepted: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            port,
            shared,
            accepting,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    /// Leads to another server from now on, and cuts what leads to the old one.
    pub(crate) fn turn_to(&self, upstream: u16) {
        self.shared.upstream.store(upstream, Ordering::SeqCst);
        self.cut();
    }

    /// Leads new connections to another server. Those that are there stay.
    pub(crate) fn turn_new_to(&self, upstream: u16) {
        self.shared.upstream.store(upstream, Ordering::SeqCst);
    }

    pub(crate) fn cut(&self) {
        self.shared.connections.lock().unwrap().abort_all();
    }

    pub(crate) fn forward(&self) {
        self.set(Mode::Forward);
    }

    /// Takes everything and gives nothing, on connections old and new.
    pub(crate) fn silence(&self) {
        self.set(Mode::Silent);
    }

    pub(crate) fn chaos(&self, chaos: Chaos) {
        self.set(Mode::Chaos(chaos));
    }

    /// The next request that `which` names meets a loss, once.
    pub(crate) fn arm(&self, loss: Loss, which: Which) -> Armed {
        let (struck, receiver) = watch::channel(false);
        *self.shared.rule.lock().unwrap() = Some(Rule {
            loss,
            which,
            struck,
        });
        Armed(receiver)
    }

    /// How many connections came so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many requests came so far: the round trips, those of connecting included.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
        let connection = connection(Arc::clone(&shared), number as u64, client);
        let mut connections = shared.connections.lock().unwrap();
        // Those that have ended are forgotten.
        while connections.try_join_next().is_some() {}
        connections.spawn(connection);
    }
}

async fn connection(shared: Arc<Shared>, number: u64, mut client: TcpStream) {
    if matches!(shared.mode(), Mode::Silent) {
        return swallow(&mut client).await;
    }
    let upstream = (Ipv4Addr::LOCALHOST, shared.upstream.load(Ordering::SeqCst));
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return;
    };
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    let seed = match shared.mode() {
        Mode::Chaos(chaos) => chaos.seed,
        _ => 0,
    };
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(number);
    let (mut request, mut reply) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut loses_reply = None;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Some(length) = read.ok().filter(|&length| length > 0) else { return };
                let piece = &request[..length];
                shared.requests.fetch_add(1, Ordering::SeqCst);
                if matches!(shared.mode(), Mode::Silent) {
                    return swallow(&mut client).await;
                }
                if let Some(rule) = shared.meet(piece) {
                    if rule.loss == Loss::Request {
                        rule.struck.send_replace(true);
                        return;
                    }
                    loses_reply = Some(rule);
                }
                if pass(&mut server, piece, shared.mode(), &mut dice).await.is_none() {
                    return;
                }
            }
            read = server.read(&mut reply) => {
                let Some(length) = read.ok().filter(|&length| length > 0) else { return };
                if let Some(rule) = loses_reply {
                    rule.struck.send_replace(true);
                    return;
                }
                match shared.mode() {
                    Mode::Silent => return swallow(&mut client).await,
                    mode => if pass(&mut client, &reply[..length], mode, &mut dice).await.is_none() {
                        return;
                    },
                }
            }
        }
    }
}

/// Hands a piece on, unless the connection is cut there.
async fn pass(to: &mut TcpStream, piece: &[u8], mode: Mode, dice: &mut ChaCha8Rng) -> Option<()> {
    let mut part = piece;
    let mut is_cut = false;
    if let Mode::Chaos(chaos) = mode {
        sleep(dice.random_range(Duration::ZERO..=chaos.delay_max)).await;
        is_cut = dice.random_bool(chaos.cut_probability);
        if is_cut {
            part = &piece[..dice.random_range(0..piece.len())];
        }
    }
    to.write_all(part).await.ok()?;
    (!is_cut).then_some(())
}

async fn swallow(client: &mut TcpStream) {
    let mut sink = vec![0; 1 << 12];
    while client.read(&mut sink).await.is_ok_and(|read| read > 0) {}
}

impl Shared {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    fn meet(&self, piece: &[u8]) -> Option<Rule> {
        self.rule
            .lock()
            .unwrap()
            .take_if(|rule| (rule.which)(piece))
    }
}
