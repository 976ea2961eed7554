//! One server.

use std::{
    ffi::OsString,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, RedisResult, Value, aio::MultiplexedConnection, from_redis_value,
};
use tokio::time::{Instant, sleep};

use super::{
    clock::ServerClock,
    port::Port,
    process::{Process, args, log_tail},
    scratch::Scratch,
    tls::TlsServer,
};

/// Longer than a start takes on a machine that builds beside it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longer than a command takes there.
const ANSWER: Duration = Duration::from_secs(2);

/// A server on loopback that keeps nothing on disk. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    // Before the folder: what a dying server still writes must not bring it back.
    process: Mutex<Option<Process>>,
    port: Port,
    url: String,
    launch: Launch,
    folder: Scratch,
}

/// Variables of a process.
pub(super) type Env = Vec<(OsString, OsString)>;

/// How a server is started. It can be done again, with the same outcome.
#[derive(Debug, Default)]
pub(super) struct Launch {
    /// Behind the defaults, which they override.
    pub(super) args: Vec<OsString>,
    pub(super) env: Env,
    /// A file of settings, for the modes that write their state into it.
    pub(super) config: Option<String>,
    /// Other ports than the one of plain connections.
    pub(super) more_ports: Vec<Port>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With more arguments, such as `&["--maxmemory", "2mb"]`.
    pub(crate) async fn with(more: &[&str]) -> Self {
        Self::launch(|_| Launch {
            args: args(more),
            ..Launch::default()
        })
        .await
    }

    /// A server whose wall clock stands at `start_ms`, milliseconds since 1970, until it is moved.
    pub(crate) async fn with_clock(start_ms: i64) -> (Self, ServerClock) {
        let clock = ServerClock::new(start_ms);
        let server = Self::launch(|_| Launch {
            env: clock.env(),
            ..Launch::default()
        });
        (server.await, clock)
    }

    /// A server for TLS; a client may show a certificate.
    pub(crate) async fn tls() -> TlsServer {
        TlsServer::start("optional").await
    }

    /// A server for TLS that refuses clients without a certificate of its CA.
    pub(crate) async fn mutual_tls() -> TlsServer {
        TlsServer::start("yes").await
    }

    /// `launch` is asked anew, with a fresh folder, when another process was quicker to take a port.
    pub(super) async fn launch(mut launch: impl FnMut(&Scratch) -> Launch) -> Self {
        for _ in 0..5 {
            let port = Port::reserve();
            let folder = Scratch::new("server");
            let launch = launch(&folder);
            if let Some(config) = &launch.config {
                folder.write("server.conf", config);
            }
            let server = Self {
                process: Mutex::default(),
                url: format!("redis://127.0.0.1:{}/", port.number()),
                port,
                launch,
                folder,
            };
            match server.run().await {
                Ok(()) => return server,
                Err(Died(log)) if log.contains("Address already in use") => {}
                Err(Died(log)) => panic!("redis-server ended at once; its log:\n{log}"),
            }
        }
        panic!("redis-server found its port taken five times over")
    }

    /// Starts the process and waits until it answers, or until it is dead.
    async fn run(&self) -> Result<(), Died> {
        let port = self.port.number().to_string();
        let folder = self.folder.path();
        let mut all = Vec::new();
        if self.launch.config.is_some() {
            all.push(folder.join("server.conf").into());
        }
        let defaults = [
            ["--port", &port],
            ["--bind", "127.0.0.1"],
            ["--save", ""],
            ["--appendonly", "no"],
            ["--daemonize", "no"],
        ];
        all.extend(args(defaults.as_flattened()));
        all.extend(["--dir".into(), folder.into()]);
        all.extend_from_slice(&self.launch.args);
        let process = Process::spawn(folder, &all, &self.launch.env);
        let pid = process.id().to_string();
        *self.process() = Some(process);

        let end = Instant::now() + PATIENCE;
        loop {
            let answers = match self.try_command(&["INFO", "server"]).await {
                // Another server on this port would answer as well.
                Ok(info) => field(&info, "process_id").as_deref() == Some(&pid),
                Err(_) => false,
            };
            if answers && self.try_command(&["PING"]).await.is_ok() {
                return Ok(());
            }
            if !self.is_running() {
                return Err(Died(log_tail(folder)));
            }
            assert!(
                Instant::now() < end,
                "redis-server does not answer on port {port} after {PATIENCE:?}; its log:\n{}",
                log_tail(folder)
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    /// The first of the ports it took besides.
    pub(super) fn second_port(&self) -> u16 {
        self.launch.more_ports[0].number()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether its process is there, paused or not.
    pub(crate) fn is_running(&self) -> bool {
        self.process().as_mut().is_some_and(Process::is_running)
    }

    /// Ends it without a chance to say goodbye, and waits for that.
    pub(crate) fn kill(&self) {
        *self.process() = None;
    }

    /// Starts it again where it was. It is empty, unless it was told to keep things on disk.
    pub(crate) async fn restart(&self) {
        self.kill();
        if let Err(Died(log)) = self.run().await {
            panic!("redis-server did not start again; its log:\n{log}");
        }
    }

    /// Stops it in its tracks: connections stay open and it does not answer.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// Undoes [`pause`](Self::pause). Commands that were sent meanwhile are answered.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// The end of what it has logged.
    pub(crate) fn log(&self) -> String {
        log_tail(self.folder.path())
    }

    fn signal(&self, name: &str) {
        let process = self.process();
        process.as_ref().expect("the server runs").signal(name);
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap()
    }

    /// A connection of its own, because one that is kept dies with the runtime of the test that
    /// made it.
    pub(crate) async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER));
        let client = Client::open(self.url())?;
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// Sends a command; the test fails when the server does.
    pub(crate) async fn command(&self, words: &[&str]) -> Value {
        match self.try_command(words).await {
            Ok(value) => value,
            Err(error) => panic!(
                "{words:?} on port {}: {error}; the server's log:\n{}",
                self.port(),
                self.log()
            ),
        }
    }

    pub(crate) async fn try_command(&self, words: &[&str]) -> RedisResult<Value> {
        let mut command = ::redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut self.connection().await?).await
    }

    /// Returns the value of `field` in `INFO`.
    pub(crate) async fn info(&self, field: &str) -> Option<String> {
        self::field(&self.command(&["INFO", "everything"]).await, field)
    }

    /// The same of a server that may not answer.
    pub(crate) async fn try_info(&self, field: &str) -> Result<String, String> {
        let info = self.try_text(&["INFO", "everything"]).await?;
        line(&info, field).ok_or_else(|| format!("no {field} in INFO"))
    }

    /// Returns the answer of a server that may not answer.
    pub(super) async fn try_text(&self, words: &[&str]) -> Result<String, String> {
        let told = |error: ::redis::RedisError| format!("port {}: {error}", self.port());
        let answer = self.try_command(words).await.map_err(told)?;
        from_redis_value(answer).map_err(|error| error.to_string())
    }

    /// Whether `INFO` has this value in this field, for [`until`](super::until).
    pub(crate) async fn has_info(&self, field: &str, wanted: &str) -> Result<(), String> {
        let value = self.try_info(field).await?;
        if value == wanted {
            return Ok(());
        }
        Err(format!("port {}: {field}:{value}", self.port()))
    }

    /// Whether this replica has all that `master` has, and gets what will come, for
    /// [`until`](super::until).
    ///
    /// A link that is up is not enough. The master holds everything back until the replica has told it how far it is,
    /// which it does each second. Nor is `WAIT`, which waits for the writes of its own connection.
    pub(crate) async fn follows(&self, master: &Self) -> Result<(), String> {
        let info = master.try_text(&["INFO", "replication"]).await?;
        let us = format!(",port={},state=online,", self.port());
        if !info.lines().any(|line| line.contains(&us)) {
            return Err(format!(
                "of port {}, port {}: {info}",
                self.port(),
                master.port()
            ));
        }
        self.has_info("master_link_status", "up").await?;
        let sent = line(&info, "master_repl_offset").unwrap_or_default();
        let got = self.try_info("slave_repl_offset").await?;
        match (sent.parse::<u64>(), got.parse::<u64>()) {
            (Ok(sent), Ok(got)) if got >= sent => Ok(()),
            _ => Err(format!("port {} has {got} bytes of {sent}", self.port())),
        }
    }
}

/// The process ended by itself; the end of its log.
struct Died(String);

fn field(info: &Value, field: &str) -> Option<String> {
    let info: String = from_redis_value(info.clone()).ok()?;
    line(&info, field)
}

fn line(info: &str, field: &str) -> Option<String> {
    let mut lines = info.lines();
    let line = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.to_owned())
}

// Without imports, which a bench would not use.
#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_port_that_another_process_took_is_given_up() {
        let thief = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = thief.local_addr().unwrap().port().to_string();
        let mut attempts = 0;
        let server = super::Server::launch(|_| {
            attempts += 1;
            let override_port = ["--port", &taken];
            super::Launch {
                args: super::args(if attempts == 1 { &override_port } else { &[] }),
                ..super::Launch::default()
            }
        })
        .await;
        assert_eq!(attempts, 2);
        assert!(server.is_running());
    }
}
