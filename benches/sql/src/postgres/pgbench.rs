//! `pgbench` with the statements of the store, as the server has heard them.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command, time::Duration};

use tempfile::TempDir;
use tower_bearer::store::RefreshStore;

use super::{execute, servers, servers::Server, store};
use crate::work::{CLIENTS, pair};

/// A rotation of the client's own session, to and fro.
pub struct Script {
    _folder: TempDir,
    path: PathBuf,
}

impl Script {
    /// Makes the store rotate once, and takes both statements from the server's log.
    pub async fn of_the_store(server: &Server, url: &str) -> Self {
        let database = url.rsplit('/').next().unwrap().split('?').next().unwrap();
        let log = |value: &str| format!("ALTER DATABASE {database} SET log_statement = {value}");
        execute(url, &log("'all'")).await;
        let watched = store(url).await;
        let [current, next] = pair(0);
        watched.load(&current.key()).await.unwrap();
        watched.swap(&current, &next).await.unwrap();
        watched.swap(&next, &current).await.unwrap();
        watched.close().await;
        execute(url, &log("DEFAULT")).await;

        let log = server.log();
        let heard = |beginning: &str| {
            let statements = log.lines().filter_map(|line| {
                let (_, statement) = line.split_once("LOG:  execute ")?.1.split_once(": ")?;
                Some(statement)
            });
            let mut found = statements.filter(|text| {
                text.starts_with(beginning) && text.contains("tower_bearer_sessions")
            });
            let found = found.next();
            found.unwrap_or_else(|| panic!("no {beginning} of the store in the log:\n{log}"))
        };
        let (load, swap) = (heard("SELECT"), heard("WITH"));
        keep_keys(url).await;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rotation.sql");
        fs::write(&path, script(load, swap)).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    /// Measures the rotations a second.
    pub fn rate(&self, url: &str, turn: Duration) -> f64 {
        let output = Command::new(servers::program("pgbench"))
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=1"])
            .arg(format!("--client={CLIENTS}"))
            .arg(format!("--time={}", turn.as_secs()))
            .args(["--define=is_ready=0", "--define=is_next=0"])
            .arg("--file")
            .args([self.path.as_os_str(), url.as_ref()])
            .output()
            .unwrap();
        let (text, errors) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        let rate = text.lines().find_map(|line| {
            let rate = line.strip_prefix("tps = ")?.split(' ').next()?;
            rate.parse().ok()
        });
        rate.filter(|_| output.status.success())
            .unwrap_or_else(|| panic!("pgbench says: {text}\n{errors}"))
    }
}

/// The keys and records of all clients, for pgbench to ask for.
async fn keep_keys(url: &str) {
    let mut sql =
        "CREATE TABLE pairs (client int PRIMARY KEY, tag text, id text, one text, other text, \
                   one_end bigint, other_end bigint, rotated bigint);"
            .to_owned();
    for client in 0..CLIENTS {
        let [one, other] = pair(client);
        let key = one.key();
        write!(
            sql,
            "INSERT INTO pairs VALUES ({client}, '{}', '{}', '{}', '{}', {}, {}, {});",
            hex(key.subject().as_bytes()),
            hex(key.id().as_bytes()),
            hex(&one.encode()),
            hex(&other.encode()),
            one.expires_at().as_millis(),
            other.expires_at().as_millis(),
            one.last_rotated_at().as_millis(),
        )
        .unwrap();
    }
    execute(url, &sql).await;
}

/// The keys are asked for once a client. The turn before may have ended with either record, and the first write
/// then finds nothing to do.
fn script(load: &str, swap: &str) -> String {
    let load = with(load, &["tag", "id"]);
    let swap = |current, next, end| {
        let lock_timeout = "lock_timeout";
        let names = [
            "tag",
            "id",
            current,
            next,
            end,
            "rotated",
            "live",
            lock_timeout,
        ];
        with(swap, &names)
    };
    format!(
        "\\if :is_ready = 0\n\
         SELECT tag, id, one, other, one_end, other_end, rotated, 'true' AS live, '22500' AS lock_timeout \
         FROM pairs WHERE client = :client_id \\gset\n\
         \\set is_ready 1\n\
         \\endif\n\
         {load};\n\
         \\if :is_next = 0\n\
         {};\n\
         \\set is_next 1\n\
         \\else\n\
         {};\n\
         \\set is_next 0\n\
         \\endif\n",
        swap("one", "other", "other_end"),
        swap("other", "one", "one_end"),
    )
}

/// The statement with the names of variables for its parameters.
fn with(statement: &str, names: &[&str]) -> String {
    let mut statement = statement.to_owned();
    for (index, name) in names.iter().enumerate().rev() {
        let parameter = format!("${}", index + 1);
        assert!(statement.contains(&parameter), "{parameter} of {statement}");
        statement = statement.replace(&parameter, &format!(":{name}"));
    }
    assert!(!statement.contains('$'), "more parameters: {statement}");
    statement
}

/// Bytes as PostgreSQL reads them from text.
fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{digits}")
}
