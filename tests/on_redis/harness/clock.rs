//! Servers under a clock of the test's.

use std::time::Duration;

use redis::{Value, from_redis_value};

use crate::support::redis::Server;

const START: i64 = 1_800_000_000_000;

/// Returns `TIME`, in milliseconds.
async fn time(server: &Server) -> i64 {
    millis(server.command(&["TIME"]).await)
}

/// The same inside a script.
async fn script_time(server: &Server) -> i64 {
    let script = "return redis.call('TIME')";
    millis(server.command(&["EVAL", script, "0"]).await)
}

fn millis(time: Value) -> i64 {
    let [secs, micros]: [String; 2] = from_redis_value(time).unwrap();
    secs.parse::<i64>().unwrap() * 1000 + micros.parse::<i64>().unwrap() / 1000
}

#[tokio::test]
async fn a_server_tells_the_time_it_is_told() {
    let (server, clock) = Server::with_clock(START).await;
    assert_eq!(time(&server).await, START);
    clock.set(START + 123_456);
    assert_eq!(time(&server).await, START + 123_456);
    assert_eq!(script_time(&server).await, START + 123_456);
    clock.advance(Duration::from_millis(7));
    assert_eq!(script_time(&server).await, START + 123_463);
    // Backwards, as when an operator corrects the clock.
    clock.set(START - 1);
    assert_eq!(script_time(&server).await, START - 1);
    server.restart().await;
    assert_eq!(time(&server).await, START - 1);
}

#[tokio::test]
async fn keys_expire_by_that_clock() {
    let (server, clock) = Server::with_clock(START).await;
    server.command(&["SET", "a", "b"]).await;
    let at = (START + 1000).to_string();
    assert_eq!(
        server.command(&["PEXPIREAT", "a", &at]).await,
        Value::Int(1)
    );
    assert_eq!(server.command(&["PTTL", "a"]).await, Value::Int(1000));
    clock.set(START + 999);
    assert_eq!(server.command(&["PTTL", "a"]).await, Value::Int(1));
    assert_eq!(server.command(&["EXISTS", "a"]).await, Value::Int(1));
    clock.set(START + 1001);
    assert_eq!(server.command(&["EXISTS", "a"]).await, Value::Int(0));
}

#[tokio::test]
async fn a_clock_may_run_beside_the_real_one() {
    let ((server, clock), real) = tokio::join!(Server::with_clock(START), Server::start());
    for (step, offset) in [(-7_200_001, -7_200_001), (3_600_999, 3_600_999)] {
        clock.step(step);
        let before = time(&real).await;
        let shown = time(&server).await - offset;
        assert!((before..=time(&real).await).contains(&shown), "{step}");
    }
    clock.advance(Duration::from_secs(60));
    let shown = time(&server).await;
    assert!(shown - time(&real).await > 3_600_000 + 55_000);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(time(&server).await >= shown + 10);
}
