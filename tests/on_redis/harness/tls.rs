//! Servers for TLS.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, RedisResult, TlsCertificates, Value, cmd,
};

use crate::support::redis::{Server, TlsServer};

/// Asks the server, trusting what `ca` signed.
async fn ping(
    server: &TlsServer,
    ca: &TlsServer,
    client: Option<&TlsServer>,
) -> RedisResult<Value> {
    let certificates = TlsCertificates {
        client_tls: client.map(|from| ClientTlsConfig {
            client_cert: from.client_pem().into(),
            client_key: from.client_key_pem().into(),
        }),
        root_cert: Some(ca.ca_pem().into()),
    };
    let client = Client::build_with_tls(server.url(), certificates)?;
    let patience = Some(Duration::from_secs(2));
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(patience)
        .set_response_timeout(patience);
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    cmd("PING").query_async(&mut connection.await?).await
}

#[tokio::test]
async fn a_tls_server_is_trusted_by_its_ca_alone() {
    let (server, other) = tokio::join!(Server::tls(), Server::tls());
    let pong = Value::SimpleString("PONG".to_owned());
    assert_eq!(ping(&server, &server, None).await.unwrap(), pong);
    let error = ping(&server, &other, None).await.unwrap_err();
    assert!(
        error.to_string().contains("invalid peer certificate"),
        "{error}"
    );
    // A certificate is not asked for, but if there is one it has to be right.
    assert_eq!(ping(&server, &server, Some(&server)).await.unwrap(), pong);
    assert!(ping(&server, &server, Some(&other)).await.is_err());
}

#[tokio::test]
async fn the_port_for_tls_takes_nothing_else() {
    let server = Server::tls().await;
    assert_ne!(server.port(), server.plain().port());
    let url = format!("redis://127.0.0.1:{}/", server.port());
    let patience = Duration::from_secs(2);
    let plain = async {
        let mut connection = super::connect(&url, patience).await?;
        super::send::<Value>(&mut connection, &["PING"]).await
    };
    assert!(plain.await.is_err());
    // The test's own way in leads to the same data.
    server.plain().command(&["SET", "a", "b"]).await;
}

#[tokio::test]
async fn a_server_that_wants_certificates_refuses_clients_without() {
    let server = Server::mutual_tls().await;
    assert!(ping(&server, &server, None).await.is_err());
    assert!(ping(&server, &server, Some(&server)).await.is_ok());
}
