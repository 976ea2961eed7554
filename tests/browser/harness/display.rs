//! A screen in memory, for the engine that does without none.

use std::time::Duration;

use tokio::process::{Child, Command};

use super::engine::{installed, told};

/// An X server, which ends when its last window is closed.
pub(crate) struct Display {
    number: u32,
    process: Child,
}

impl Display {
    pub(crate) async fn start() -> Self {
        let mut command = Command::new(installed("Xvfb"));
        // It takes the first free number, and writes it to its first descriptor.
        command.args(["-displayfd", "1", "-terminate", "-nolisten", "tcp"]);
        command.args(["-screen", "0", "1040x1180x24"]);
        let started = told(&mut command, "").await;
        let (process, number) = started.expect("Xvfb says its number");
        Self { number, process }
    }

    /// For the environment of a program that is to show itself there.
    pub(crate) fn name(&self) -> String {
        format!(":{}", self.number)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It gets time to end by itself: one that is killed leaves its lock and its socket behind.
        for _ in 0..100 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
