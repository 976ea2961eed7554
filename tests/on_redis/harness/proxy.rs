//! The proxy and its faults. The servers know what really happened.

use std::time::Duration;

use futures_util::future::join_all;
use redis::{RedisResult, Value, aio::MultiplexedConnection, from_redis_value};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    runtime::Handle,
    time::{Instant, timeout},
};

use super::{connect, send};
use crate::support::redis::{Chaos, Loss, Proxy, Server, Which, until};

/// Longer than an answer takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of clients that are to get none.
const IMPATIENCE: Duration = Duration::from_millis(300);

async fn proxied() -> (Server, Proxy) {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    (server, proxy)
}

async fn client(proxy: &Proxy) -> MultiplexedConnection {
    connect(proxy.url(), PATIENCE).await.unwrap()
}

async fn incr(connection: &mut MultiplexedConnection) -> RedisResult<i64> {
    send(connection, &["INCR", "n"]).await
}

/// How often `incr` was carried out.
async fn count(server: &Server) -> i64 {
    let value: Option<i64> = from_redis_value(server.command(&["GET", "n"]).await).unwrap();
    value.unwrap_or(0)
}

#[tokio::test]
async fn it_forwards_and_counts() {
    let (server, proxy) = proxied().await;
    let mut connection = client(&proxy).await;
    let large = "x".repeat(1 << 20);
    send::<()>(&mut connection, &["SET", "large", &large])
        .await
        .unwrap();
    let back: String = send(&mut connection, &["GET", "large"]).await.unwrap();
    assert!(back == large);
    assert_eq!(incr(&mut connection).await.unwrap(), 1);
    assert_eq!(count(&server).await, 1);
    let mut second = client(&proxy).await;
    assert_eq!(incr(&mut second).await.unwrap(), 2);
    assert_eq!(proxy.connections(), 2);
    assert_eq!(proxy.requests_of("INCR"), 2);
    assert_eq!(proxy.requests_of("DECR"), 0);
    assert!(proxy.requests() >= 4);
}

#[tokio::test]
async fn delays_do_not_add_up_and_keep_the_order() {
    let (_server, proxy) = proxied().await;
    let connection = client(&proxy).await;
    let at_once = || {
        let begin = Instant::now();
        let all = (0..20).map(|_| {
            let mut connection = connection.clone();
            async move { incr(&mut connection).await.unwrap() }
        });
        async move { (join_all(all).await, begin.elapsed()) }
    };
    proxy.delay(Duration::from_millis(300));
    let (numbers, took) = at_once().await;
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let range = Duration::from_millis(300)..Duration::from_millis(3000);
    assert!(range.contains(&took), "{took:?}");
    proxy.delay_up_to(Duration::from_millis(100), 1);
    let (numbers, took) = at_once().await;
    assert_eq!(numbers, (21..=40).collect::<Vec<_>>());
    // The longest of twenty is seldom short.
    assert!(took > Duration::from_millis(50), "{took:?}");
    proxy.forward().await;
    let (_, took) = at_once().await;
    assert!(took < Duration::from_millis(300), "{took:?}");
}

#[tokio::test]
async fn cut_connections_are_cut_and_others_take_their_place() {
    let (server, proxy) = proxied().await;
    let mut connection = client(&proxy).await;
    incr(&mut connection).await.unwrap();
    proxy.cut().await;
    let error = incr(&mut connection).await.unwrap_err();
    assert!(error.is_io_error() && !error.is_timeout(), "{error}");
    assert_eq!(count(&server).await, 1);
    assert_eq!(incr(&mut client(&proxy).await).await.unwrap(), 2);
}

#[tokio::test]
async fn refused_connections_are_refused_and_the_others_stay() {
    let (_server, proxy) = proxied().await;
    let mut connection = client(&proxy).await;
    proxy.refuse().await;
    let error = TcpStream::connect(("127.0.0.1", proxy.port())).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(incr(&mut connection).await.unwrap(), 1);
    proxy.forward().await;
    assert_eq!(incr(&mut client(&proxy).await).await.unwrap(), 2);
}

#[tokio::test]
async fn a_black_hole_takes_everything_and_gives_nothing() {
    let (server, proxy) = proxied().await;
    let mut old = connect(proxy.url(), IMPATIENCE).await.unwrap();
    incr(&mut old).await.unwrap();
    proxy.black_hole();
    let error = incr(&mut old).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let new = connect(proxy.url(), IMPATIENCE).await;
    let new = match new {
        Ok(mut new) => incr(&mut new).await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(
        new.as_ref().is_err_and(|error| error.is_timeout()),
        "{new:?}"
    );
    assert_eq!(count(&server).await, 1);
    // Without a server behind it, too.
    server.kill();
    TcpStream::connect(("127.0.0.1", proxy.port()))
        .await
        .unwrap();
    server.restart().await;
    proxy.forward().await;
    assert!(incr(&mut old).await.unwrap_err().is_timeout());
    assert_eq!(incr(&mut client(&proxy).await).await.unwrap(), 1);
}

#[tokio::test]
async fn a_dropped_reply_is_that_of_a_command_that_was_carried_out() {
    let (server, proxy) = proxied().await;
    let mut connection = client(&proxy).await;
    let mut armed = proxy.drop_next_reply();
    assert!(!armed.has_struck());
    let error = incr(&mut connection).await.unwrap_err();
    assert!(error.is_io_error() && !error.is_timeout(), "{error}");
    armed.struck().await;
    assert_eq!(count(&server).await, 1);
    // Once.
    assert_eq!(incr(&mut client(&proxy).await).await.unwrap(), 2);
}

#[tokio::test]
async fn a_loss_waits_for_its_request() {
    let (server, proxy) = proxied().await;
    let script = "return redis.call('INCR', 'n')";
    let hash = server.command(&["SCRIPT", "LOAD", script]).await;
    let hash: String = from_redis_value(hash).unwrap();
    let evalsha = ["EVALSHA", &hash, "0"];
    let mut connection = client(&proxy).await;
    let mut armed = proxy.arm(Loss::Reply, Which::containing("EVALSHA").nth(2));
    assert_eq!(incr(&mut connection).await.unwrap(), 1);
    assert_eq!(send::<i64>(&mut connection, &evalsha).await.unwrap(), 2);
    assert_eq!(incr(&mut connection).await.unwrap(), 3);
    assert!(!armed.has_struck());
    send::<i64>(&mut connection, &evalsha).await.unwrap_err();
    armed.struck().await;
    assert_eq!(count(&server).await, 4);
    assert_eq!(proxy.requests_of("EVALSHA"), 2);

    // Of requests sent at once on one connection, it is the reply of the one that is meant.
    let connection = client(&proxy).await;
    proxy.arm(Loss::Reply, Which::containing("third"));
    let all = join_all(["first", "second", "third", "fourth"].map(|key| {
        let mut connection = connection.clone();
        async move { send::<i64>(&mut connection, &["INCR", key]).await.is_ok() }
    }))
    .await;
    assert_eq!(all, [true, true, false, false]);
    assert_eq!(server.command(&["EXISTS", "third"]).await, Value::Int(1));
}

#[tokio::test]
async fn a_lost_request_is_not_carried_out() {
    let (server, proxy) = proxied().await;
    let mut connection = client(&proxy).await;
    let armed = proxy.arm(Loss::Request, Which::next().nth(2));
    assert_eq!(incr(&mut connection).await.unwrap(), 1);
    let error = incr(&mut connection).await.unwrap_err();
    assert!(error.is_io_error() && !error.is_timeout(), "{error}");
    assert!(armed.has_struck());
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn a_held_reply_leaves_the_connection_open_and_silent() {
    let (server, proxy) = proxied().await;
    let mut connection = connect(proxy.url(), IMPATIENCE).await.unwrap();
    let mut armed = proxy.hold_next_reply();
    assert!(incr(&mut connection).await.unwrap_err().is_timeout());
    armed.struck().await;
    assert_eq!(count(&server).await, 1);
    // No later reply is taken for the one that is held.
    let error = send::<i64>(&mut connection, &["INCR", "other"]).await;
    assert!(error.unwrap_err().is_timeout());
    assert_eq!(incr(&mut client(&proxy).await).await.unwrap(), 2);
}

#[tokio::test]
async fn an_armed_rule_can_be_disarmed() {
    let (_server, proxy) = proxied().await;
    let armed = proxy.drop_next_reply();
    proxy.forward().await;
    assert_eq!(incr(&mut client(&proxy).await).await.unwrap(), 1);
    assert!(!armed.has_struck());
}

/// Whether each of a hundred increments was answered, with a new connection after each that was not. Also how many were
/// carried out. By hand, because a client library greets the server first.
async fn weather(seed: u64) -> (Vec<bool>, i64) {
    let (server, proxy) = proxied().await;
    proxy.chaos(Chaos {
        seed,
        delay_max: Duration::from_millis(1),
        cut_probability: 0.05,
    });
    let open = || async {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).await;
        BufReader::new(stream.unwrap())
    };
    let mut connection = open().await;
    let mut outcomes = Vec::new();
    for _ in 0..100 {
        let mut answer = String::new();
        let exchange = async {
            connection
                .write_all(b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n")
                .await?;
            connection.read_line(&mut answer).await
        };
        // The fate of the connection is of no interest if the answer is complete.
        let _ = timeout(PATIENCE, exchange).await.unwrap();
        let answered = answer.ends_with("\r\n");
        if !answered {
            connection = open().await;
        }
        outcomes.push(answered);
    }
    (outcomes, count(&server).await)
}

#[tokio::test]
async fn chaos_cuts_before_and_after_and_the_same_for_a_seed() {
    let ((one, applied), (again, _), (other, _)) = tokio::join!(weather(1), weather(1), weather(2));
    let answered = i64::try_from(one.iter().filter(|&&ok| ok).count()).unwrap();
    assert!(answered < 100, "something was cut");
    // Some that were not answered were carried out, some were not.
    assert!(answered < applied && applied < 100, "{answered}, {applied}");
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[tokio::test]
async fn nothing_is_left_of_a_dropped_proxy() {
    let server = Server::start().await;
    let before = Handle::current().metrics().num_alive_tasks();
    let proxy = Proxy::to(server.port()).await;
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port()))
        .await
        .unwrap();
    until("it is taken", PATIENCE, || async {
        (proxy.connections() == 1)
            .then_some(())
            .ok_or_else(String::new)
    })
    .await;
    let port = proxy.port();
    drop(proxy);
    // The client is told.
    let mut byte = [0];
    let read = stream.read(&mut byte).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    until("its tasks have ended", PATIENCE, || async {
        let now = Handle::current().metrics().num_alive_tasks();
        (now <= before)
            .then_some(())
            .ok_or_else(|| format!("{now}, not {before}"))
    })
    .await;
}
