//! The harness for Redis does as its tests expect. Its servers are real and end, its clocks are followed, and each of
//! its faults happens.

mod clock;
mod cluster;
mod proxy;
mod replicated;
mod server;
mod tls;

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisResult, aio::MultiplexedConnection, cmd,
};

/// A client that gives up after `patience`.
async fn connect(url: &str, patience: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience));
    let client = Client::open(url)?;
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Sends a command on a connection that is there.
async fn send<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    words: &[&str],
) -> RedisResult<T> {
    let mut command = cmd(words[0]);
    for word in &words[1..] {
        command.arg(word);
    }
    command.query_async(connection).await
}
