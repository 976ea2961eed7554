//! pgbouncer, which hands each transaction to a connection that is free.

use std::{fs, path::PathBuf, process::Child, time::Duration};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::{
    port::Port,
    scratch::{self, Scratch, unprivileged},
    server::{Database, Server},
    wait::until,
};

/// Ends when dropped.
#[derive(Debug)]
pub(crate) struct Pooler {
    process: Child,
    port: Port,
    _folder: Scratch,
}

impl Pooler {
    /// In transaction mode, in front of `server`, with fewer connections to it than a test has to the pooler. Every
    /// other setting is the default.
    pub(crate) async fn to(server: &Server) -> Self {
        let (port, folder) = (Port::reserve(), Scratch::new("pooler"));
        let path = folder.path();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {users}\npool_mode = transaction\n\
             default_pool_size = 3\nlogfile = {log}\n",
            server = server.port(),
            port = port.number(),
            users = path.join("users").display(),
            log = path.join("log").display(),
        );
        fs::write(path.join("users"), "\"postgres\" \"\"\n").unwrap();
        fs::write(path.join("settings"), settings).unwrap();
        let mut command = unprivileged(program());
        let process = command
            .arg("-q")
            .arg(path.join("settings"))
            .spawn()
            .unwrap();
        scratch::started(process.id());
        let this = Self {
            process,
            port,
            _folder: folder,
        };
        let options = PgConnectOptions::new()
            .host("127.0.0.1")
            .port(this.port.number())
            .username("postgres")
            .database("postgres")
            .extra_float_digits(None);
        until("pgbouncer answers", Duration::from_secs(10), || async {
            let log = || fs::read_to_string(this._folder.path().join("log")).unwrap_or_default();
            match PgConnection::connect_with(&options).await {
                Ok(connection) => connection.close().await.map_err(|error| error.to_string()),
                Err(error) => Err(format!("{error}; its log:\n{}", log())),
            }
        })
        .await;
        this
    }

    pub(crate) fn url(&self, database: &Database) -> String {
        database.by(self.port.number())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        scratch::ended(self.process.id());
    }
}

fn program() -> PathBuf {
    let places = [
        "/usr/sbin/pgbouncer",
        "/usr/bin/pgbouncer",
        "/usr/local/bin/pgbouncer",
    ];
    let found = places
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!(
            "pgbouncer is in none of {places:?} (apt-get install pgbouncer; ./scripts/test does)"
        )
    })
}
