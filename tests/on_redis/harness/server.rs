//! Single servers.

use std::{
    env, fs,
    io::{BufRead, BufReader, ErrorKind},
    net::UdpSocket,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use redis::{Value, from_redis_value};
use tokio::time::timeout;

use crate::support::redis::{Server, until};

/// Set in a run of one test that the same test starts as another process.
const CHILD: &str = "TOWER_BEARER_HARNESS_CHILD";

async fn setting(server: &Server, name: &str) -> String {
    let answer = server.command(&["CONFIG", "GET", name]).await;
    let [_, value]: [String; 2] = from_redis_value(answer).unwrap();
    value
}

fn exists(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

/// The test `name` of this module, by itself in another process.
fn again(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture"])
        .arg(format!("harness::server::{name}"))
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn a_server_answers_and_has_its_arguments() {
    let server = Server::with(&["--maxmemory", "2mb"]).await;
    assert_eq!(setting(&server, "maxmemory").await, "2097152");
    assert_eq!(setting(&server, "bind").await, "127.0.0.1");
    assert_eq!(setting(&server, "save").await, "");
    assert_eq!(server.command(&["SET", "a", "b"]).await, Value::Okay);
    let url = format!("redis://127.0.0.1:{}/", server.port());
    let mut other = super::connect(&url, Duration::from_secs(2)).await.unwrap();
    let value: String = super::send(&mut other, &["GET", "a"]).await.unwrap();
    assert_eq!(value, "b");
    assert_eq!(server.info("role").await.as_deref(), Some("master"));
    assert_eq!(server.info("no_such_field").await, None);
    assert!(server.try_command(&["GET"]).await.is_err());
}

#[tokio::test]
async fn a_killed_server_refuses_and_comes_back_empty_on_its_port() {
    let server = Server::start().await;
    let port = server.port();
    server.command(&["SET", "a", "b"]).await;
    server.kill();
    assert!(!server.is_running());
    assert!(server.try_command(&["PING"]).await.is_err());
    server.restart().await;
    assert_eq!(server.port(), port);
    assert_eq!(server.command(&["GET", "a"]).await, Value::Nil);
    // Also without having been dead before.
    server.restart().await;
    assert!(server.is_running());
}

#[tokio::test]
async fn a_server_told_to_keep_things_has_them_after_a_restart() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "no"]).await;
    server.command(&["SET", "a", "b"]).await;
    server.restart().await;
    let value: String = from_redis_value(server.command(&["GET", "a"]).await).unwrap();
    assert_eq!(value, "b");
}

#[tokio::test]
async fn a_paused_server_answers_when_it_goes_on() {
    let server = Server::start().await;
    server.pause();
    assert!(server.is_running());
    let mut asked = Box::pin(server.try_command(&["INCR", "a"]));
    let early = timeout(Duration::from_millis(200), &mut asked).await;
    assert!(early.is_err(), "{early:?}");
    server.resume();
    assert_eq!(asked.await.unwrap(), Value::Int(1));
}

#[tokio::test]
async fn servers_started_at_once_do_not_meet() {
    let servers = join_all((0..8).map(|_| Server::start())).await;
    let mut ports: Vec<u16> = servers.iter().map(Server::port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), servers.len());
}

#[tokio::test]
async fn a_port_is_reserved_while_its_server_is_dead() {
    let server = Server::start().await;
    server.kill();
    let taken = UdpSocket::bind(("127.0.0.1", server.port()));
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AddrInUse);
    server.restart().await;
}

#[tokio::test]
async fn a_dropped_server_leaves_nothing() {
    let server = Server::start().await;
    let pid = server.info("process_id").await.unwrap();
    let folder = setting(&server, "dir").await;
    assert!(exists(&pid) && fs::exists(&folder).unwrap());
    drop(server);
    assert!(!exists(&pid));
    assert!(!fs::exists(&folder).unwrap());
    // The one that is paused, too.
    let server = Server::start().await;
    let pid = server.info("process_id").await.unwrap();
    server.pause();
    drop(server);
    assert!(!exists(&pid));
}

/// Nothing is dropped in a process that aborts, nor are statics in one that ends well.
#[tokio::test]
async fn a_server_ends_with_a_process_that_aborts() {
    if env::var_os(CHILD).is_some() {
        let server = Server::start().await;
        let pid = server.info("process_id").await.unwrap();
        println!("server {pid} {}", setting(&server, "dir").await);
        std::process::abort();
    }
    let mut child = again("a_server_ends_with_a_process_that_aborts")
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let told = stdout.lines().map_while(Result::ok).find_map(|line| {
        let (pid, folder) = line.split_once("server ")?.1.split_once(' ')?;
        Some((pid.to_owned(), folder.to_owned()))
    });
    let (pid, folder) = told.expect("the child says what it started");
    assert!(!child.wait().unwrap().success());
    let root = Path::new(&folder).parent().unwrap();
    until("nothing is left", Duration::from_secs(5), || async {
        // A process that no parent reaps is as good as gone.
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        match (state.is_empty() || state.contains(") Z "), root.exists()) {
            (true, false) => Ok(()),
            seen => Err(format!("{seen:?}, {state}")),
        }
    })
    .await;
}

#[tokio::test]
async fn a_machine_without_redis_is_told_how_to_get_it() {
    let name = "a_machine_without_redis_is_told_how_to_get_it";
    if env::var_os(CHILD).is_some() {
        Server::start().await;
        return;
    }
    let mut command = again(name);
    command.env("TOWER_BEARER_REDIS_SERVER", "/nowhere/redis-server");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it must not be skipped: {text}");
    assert!(text.contains("apt-get install redis-server"), "{text}");
    assert!(text.contains("./scripts/test"), "{text}");
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_its_log() {
    let task = tokio::spawn(Server::with(&["--no-such-setting", "1"]));
    let panic = task.await.unwrap_err().into_panic();
    let text = panic.downcast::<String>().unwrap();
    assert!(text.contains("no-such-setting"), "{text}");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "rain: not within 3s; seen last: drought 4")]
async fn a_wait_that_runs_out_of_time_tells_its_last_observation() {
    let mut years = 0;
    until("rain", Duration::from_secs(3), || {
        years = 4;
        std::future::ready(Err::<(), _>(format!("drought {years}")))
    })
    .await;
}
