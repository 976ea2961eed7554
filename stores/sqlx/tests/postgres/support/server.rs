//! A PostgreSQL server of the test's own, on loopback.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Type, raw_sql};
use tokio::sync::OnceCell;

use super::{
    port::Port,
    process::{Process, program, succeed},
    scratch::{Scratch, unprivileged},
    wait::until,
};

/// Longer than a start takes on a machine that builds beside it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A fast server, which forgets with the machine and not with its processes.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "shared_buffers=24MB",
    "max_connections=150",
    "log_min_messages=warning",
    "max_wal_size=64MB",
    "jit=off",
];

/// The cluster that all servers are copies of.
static TEMPLATE: LazyLock<Scratch> = LazyLock::new(|| {
    let folder = Scratch::new("template");
    let mut initdb = unprivileged(program("initdb"));
    initdb
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"])
        .args(["--no-sync", "--wal-segsize=1", "-D"])
        .arg(folder.path().join("data"));
    succeed(&mut initdb);
    folder
});

/// Ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    // Before the folder: a dying server still writes.
    process: Mutex<Option<Process>>,
    port: Port,
    settings: Vec<String>,
    /// A command that runs before the server in its process, such as a limit.
    before: Option<String>,
    folder: Scratch,
}

/// A database of a server.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Server {
    /// The one that tests share which do nothing to a server.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Server> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::with(&[])).await
    }

    /// One of its own, with more settings such as `max_connections=5`.
    pub(crate) async fn with(more: &[&str]) -> Self {
        let folder = Scratch::new("server");
        let from = TEMPLATE.path().join("data");
        succeed(Command::new("cp").arg("-a").arg(from).arg(folder.path()));
        Self::over(folder, more, None).await
    }

    /// One whose files may not grow beyond `kilobytes`. The shell counts in halves of them.
    pub(crate) async fn with_small_files(kilobytes: u32) -> Self {
        let folder = Scratch::new("server");
        let from = TEMPLATE.path().join("data");
        succeed(Command::new("cp").arg("-a").arg(from).arg(folder.path()));
        Self::over(folder, &[], Some(format!("ulimit -f {}", kilobytes * 2))).await
    }

    /// A replica that follows `self`, and its own server from the moment it is [promoted](Self::promote).
    pub(crate) async fn replica(&self) -> Self {
        let folder = Scratch::new("replica");
        let mut backup = unprivileged(program("pg_basebackup"));
        backup
            .args([
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
                "-U",
                "postgres",
            ])
            .args(["-h", "127.0.0.1", "-p", &self.port().to_string(), "-D"])
            .arg(folder.path().join("data"));
        succeed(&mut backup);
        Self::over(folder, &[], None).await
    }

    async fn over(folder: Scratch, more: &[&str], before: Option<String>) -> Self {
        let port = Port::reserve();
        let socket = format!("unix_socket_directories={}", folder.path().display());
        let settings = SETTINGS.iter().chain(more).map(|&text| text.to_owned());
        let own = [socket, format!("port={}", port.number())];
        let server = Self {
            process: Mutex::default(),
            settings: settings.chain(own).collect(),
            port,
            before,
            folder,
        };
        server.run().await;
        server
    }

    /// Starts the process, and waits until it answers.
    async fn run(&self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let before = self.before.clone().unwrap_or_else(|| ":".into());
        let mut command = unprivileged("sh");
        command
            .args(["-c", &format!("{before} && exec \"$@\""), "sh"])
            .arg(program("postgres"))
            .arg("-D")
            .arg(self.folder.path().join("data"));
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        *self.process() = Some(Process::spawn(&mut command));
        until("PostgreSQL answers", PATIENCE, || async {
            assert!(
                self.is_running(),
                "it ended at once; its log:\n{}",
                self.log()
            );
            match PgConnection::connect(&self.url("postgres")).await {
                Ok(connection) => connection.close().await.map_err(|error| error.to_string()),
                Err(error) => Err(format!("{error}; its log:\n{}", self.log())),
            }
        })
        .await;
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    pub(crate) fn url(&self, database: &str) -> String {
        url(self.port(), database)
    }

    /// The folder of its socket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process().as_mut().is_some_and(Process::is_running)
    }

    /// Ends all of its processes without a chance to say goodbye, as a machine that loses its power.
    pub(crate) fn kill(&self) {
        *self.process() = None;
    }

    /// Starts it again where it was. It recovers by its log.
    pub(crate) async fn restart(&self) {
        self.kill();
        self.run().await;
    }

    /// The same without the limit of its files.
    pub(crate) async fn restart_with_room(&mut self) {
        self.kill();
        self.before = None;
        self.run().await;
    }

    /// Stops all its processes in their tracks: connections stay open, and no answer comes.
    pub(crate) fn pause(&self) {
        self.process().as_ref().expect("it runs").signal_all("STOP");
    }

    /// Undoes [`pause`](Self::pause).
    pub(crate) fn resume(&self) {
        self.process().as_ref().expect("it runs").signal_all("CONT");
    }

    /// A new and empty database.
    pub(crate) async fn database(&self) -> Database {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name}")).await;
        self.named(&name)
    }

    /// The database of this name, say of a server that is a copy.
    pub(crate) fn named(&self, name: &str) -> Database {
        Database {
            url: self.url(name),
            name: name.to_owned(),
        }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.named("postgres").execute(sql).await;
    }

    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
    {
        self.named("postgres").value(sql).await
    }

    /// Waits until `replica` has all that this one has written.
    pub(crate) async fn wait_for(&self, replica: &Self) {
        let lsn: String = self.value("SELECT pg_current_wal_lsn()::text").await;
        until("the replica has it all", PATIENCE, || async {
            let question =
                format!("SELECT coalesce(pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn, false)");
            match replica.value::<bool>(&question).await {
                true => Ok(()),
                false => Err("not yet".to_owned()),
            }
        })
        .await;
    }

    /// Lets this replica receive no more.
    pub(crate) async fn cut_replication(&self) {
        self.execute("ALTER SYSTEM SET primary_conninfo = ''").await;
        self.execute("SELECT pg_reload_conf()").await;
        until("the replica hears no more", PATIENCE, || async {
            let count: i64 = self
                .value("SELECT count(*) FROM pg_stat_wal_receiver")
                .await;
            (count == 0).then_some(()).ok_or_else(|| count.to_string())
        })
        .await;
    }

    /// Makes this replica a primary.
    pub(crate) async fn promote(&self) {
        let mut promote = unprivileged(program("pg_ctl"));
        promote.arg("promote").arg("-w").arg("-D");
        succeed(promote.arg(self.folder.path().join("data")));
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap()
    }
}

impl Database {
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let mut connection = self.connection().await;
        let done = raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        assert!(done.is_ok(), "{sql}: {done:?}");
        connection.close().await.unwrap();
    }

    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
    {
        let mut connection = self.connection().await;
        let value = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await;
        let value = value.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.unwrap();
        value
    }

    pub(crate) fn port(&self) -> u16 {
        let (_, rest) = self.url.rsplit_once("127.0.0.1:").unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// The same database by another port.
    pub(crate) fn by(&self, port: u16) -> String {
        url(port, &self.name)
    }

    /// The same database for another account, whose password is its name.
    pub(crate) fn url_of(&self, account: &str) -> String {
        let with_password = format!("//{account}:{account}@");
        self.url.replace("//postgres@", &with_password)
    }
}

fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable")
}
