//! One connection through the proxy.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep_until},
};

use super::{
    Shared,
    fault::{Loss, Mode, Place, Rule},
    resp,
};

/// The state that both directions of a connection share.
struct Line {
    shared: Arc<Shared>,
    number: u64,
    /// It has swallowed something, so that nothing may come after.
    silent: AtomicBool,
}

/// A reply, and when it is to arrive.
type Due = (Instant, Bytes);

/// Lasts until one side hangs up or a fault cuts it. Both sides are closed then.
pub(super) async fn connection(shared: Arc<Shared>, number: u64, mut client: TcpStream) {
    if matches!(shared.mode(), Mode::BlackHole) {
        // There may be no server to connect to.
        let mut sink = Vec::new();
        while client.read_buf(&mut sink).await.is_ok_and(|read| read > 0) {
            sink.clear();
        }
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.upstream)).await else {
        return;
    };
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    let line = Line {
        shared,
        number,
        silent: AtomicBool::new(false),
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (meets, met) = mpsc::unbounded_channel();
    let (due, dues) = mpsc::unbounded_channel();
    let back = async {
        // The end of replies is the end of the connection only when those on their way are there.
        tokio::join!(
            line.replies(from_server, met, due),
            deliver(to_client, dues)
        );
    };
    tokio::select! {
        () = line.requests(from_client, to_server, meets) => {}
        () = back => {}
    }
}

impl Line {
    /// From the client to the server. Of each request that goes through, `meets` tells in order
    /// what its reply is to meet.
    async fn requests(
        &self,
        mut client: OwnedReadHalf,
        mut server: OwnedWriteHalf,
        meets: UnboundedSender<Option<Rule>>,
    ) {
        let mut buffer = BytesMut::new();
        let mut place = self.place(false);
        while client
            .read_buf(&mut buffer)
            .await
            .is_ok_and(|read| read > 0)
        {
            while let Some(length) = resp::frame(&buffer) {
                let mut request = buffer.split_to(length);
                place.number += 1;
                let mode = self.shared.mode();
                self.shared.count(&request);
                if self.is_silent(mode) {
                    continue;
                }
                let rule = self.shared.meet(&request);
                if let Some(rule) = rule.as_ref().filter(|rule| rule.loss == Loss::Request) {
                    rule.strike();
                    return;
                }
                if let Some(other) = self.shared.disguised(&request) {
                    request = other.as_slice().into();
                }
                let cut = mode.cut(place, request.len());
                let part = &request[..cut.unwrap_or(request.len())];
                // Before the request, so that it is there before the reply.
                let _ = meets.send(rule);
                if server.write_all(part).await.is_err() || cut.is_some() {
                    return;
                }
            }
        }
    }

    /// From the server towards the client.
    async fn replies(
        &self,
        mut server: OwnedReadHalf,
        mut met: UnboundedReceiver<Option<Rule>>,
        due: UnboundedSender<Due>,
    ) {
        let mut buffer = BytesMut::new();
        let mut place = self.place(true);
        let mut last = Instant::now();
        while server
            .read_buf(&mut buffer)
            .await
            .is_ok_and(|read| read > 0)
        {
            while let Some(length) = resp::frame(&buffer) {
                let mut reply = buffer.split_to(length).freeze();
                place.number += 1;
                let rule = if resp::is_push(&reply) {
                    None
                } else {
                    // More replies than requests come to subscribers only.
                    met.try_recv().ok().flatten()
                };
                let mode = self.shared.mode();
                if let Some(rule) = rule {
                    rule.strike();
                    if rule.loss == Loss::Reply {
                        return;
                    }
                    self.silent.store(true, Ordering::SeqCst);
                }
                if self.is_silent(mode) {
                    continue;
                }
                let cut = mode.cut(place, length);
                reply.truncate(cut.unwrap_or(length));
                last = last.max(Instant::now() + mode.delay(place));
                if due.send((last, reply)).is_err() || cut.is_some() {
                    return;
                }
            }
        }
        if self.silent.load(Ordering::SeqCst) {
            // Nor is the client told that the server has hung up.
            std::future::pending().await
        }
    }

    fn place(&self, is_reply: bool) -> Place {
        Place {
            connection: self.number,
            is_reply,
            number: 0,
        }
    }

    /// Whether what has come is to be swallowed.
    fn is_silent(&self, mode: Mode) -> bool {
        if matches!(mode, Mode::BlackHole) {
            self.silent.store(true, Ordering::SeqCst);
        }
        self.silent.load(Ordering::SeqCst)
    }
}

/// Gives the client each reply when its time has come. Their delays overlap, as those of a long way do. A delay for
/// each in turn would add up for a client that sends many requests at once.
async fn deliver(mut client: OwnedWriteHalf, mut dues: UnboundedReceiver<Due>) {
    while let Some((at, reply)) = dues.recv().await {
        if at > Instant::now() {
            sleep_until(at).await;
        }
        if client.write_all(&reply).await.is_err() {
            return;
        }
    }
}
