//! A program that runs, or has run.

use std::{
    fmt,
    fs::{self, File},
    net::Ipv4Addr,
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

/// How long a program may take to do what it is told.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a test waits before it looks again.
const STEP: Duration = Duration::from_millis(10);

/// A program that runs until this is dropped. Where its test fails, what it has said is shown.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// The folder of what it prints.
    said: TempDir,
}

/// How a program ended, and what it had said until then.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Starts it, and does not wait for anything.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let said = tempfile::tempdir().unwrap();
        let file = |name| File::create(said.path().join(name)).unwrap();
        let child = command
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        Self { child, said }
    }

    /// Starts it, and waits until it has printed a line with `ready` in it.
    pub(crate) async fn start(command: &mut Command, ready: &str) -> Self {
        let mut program = Self::spawn(command);
        let begin = Instant::now();
        while !complete(&program.out()).contains(ready) {
            program.still_starts(begin, format_args!("printed `{ready}`"));
            sleep(STEP).await;
        }
        program
    }

    /// Starts it, and waits until it takes connections at this port of 127.0.0.1.
    pub(crate) async fn listens(command: &mut Command, port: u16) -> Self {
        let mut program = Self::spawn(command);
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_err()
        {
            program.still_starts(begin, format_args!("listened at {port}"));
            sleep(STEP).await;
        }
        program
    }

    fn still_starts(&mut self, begin: Instant, done: fmt::Arguments<'_>) {
        let ended = self.child.try_wait().unwrap();
        let late = begin.elapsed() > PATIENCE;
        assert!(ended.is_none() && !late, "it has not {done}: {ended:?}");
    }

    /// Returns all that it has printed.
    pub(crate) fn out(&self) -> String {
        fs::read_to_string(self.said.path().join("out")).unwrap()
    }

    /// Returns all that it has reported on its standard error.
    pub(crate) fn err(&self) -> String {
        fs::read_to_string(self.said.path().join("err")).unwrap()
    }

    /// The address in the line `Open http://...` of this number.
    pub(crate) fn url(&self, number: usize) -> String {
        let out = self.out();
        let mut urls = out.lines().filter_map(|line| line.strip_prefix("Open "));
        let url = urls.nth(number).and_then(|rest| rest.split(' ').next());
        url.expect("a line `Open http://...`").to_owned()
    }

    /// Waits until it has reported this. A report may come after the answer that it is about.
    pub(crate) async fn reports(&self, what: &str) {
        let begin = Instant::now();
        while !self.err().contains(what) {
            assert!(begin.elapsed() < PATIENCE, "it has not reported `{what}`");
            sleep(STEP).await;
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal. The shell's own `kill` is there where no package brings one.
    pub(crate) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.unwrap().success(), "{command}");
    }

    /// Ctrl-c ends it, and is no error.
    pub(crate) async fn stops(self) {
        self.signal("INT");
        assert!(self.ends().await.success, "it did not stop by itself");
    }

    /// No time to write anything, as when the power fails.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ends(mut self) -> Ended {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return self.ended(status);
            }
            assert!(begin.elapsed() < PATIENCE, "it still runs");
            sleep(STEP).await;
        }
    }

    fn ended(&self, status: ExitStatus) -> Ended {
        Ended {
            success: status.success(),
            out: self.out(),
            err: self.err(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("it printed:\n{}and reported:\n{}", self.out(), self.err());
        }
    }
}

impl Ended {
    /// Runs a program to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut program = Program::spawn(command);
        let status = program.child.wait().unwrap();
        program.ended(status)
    }

    /// Runs a program that must refuse its settings and say why: no service stays up with them.
    pub(crate) async fn refused(command: &mut Command, why: &str) -> Self {
        let ended = Program::spawn(command).ends().await;
        assert!(
            !ended.success && ended.err.contains(why),
            "`{why}` was not refused: {ended:?}"
        );
        ended
    }
}

/// The lines that have come to their end.
fn complete(text: &str) -> &str {
    &text[..text.rfind('\n').map_or(0, |end| end + 1)]
}
