//! Servers that tell the time they are told. A store may take its time from Redis. It is tested at the edges of its
//! lifetimes only where the clock can be put there.

use std::{
    fs::File, io::ErrorKind, os::unix::fs::FileExt, path::PathBuf, process::Command,
    sync::LazyLock, time::Duration,
};

use super::{scratch::Scratch, server::Env};

/// Compiled at first use. Lies in the folder of this process, which is removed with it.
static SHIM: LazyLock<(PathBuf, Scratch)> = LazyLock::new(|| {
    let folder = Scratch::new("clock");
    let source = folder.write("clock.c", include_str!("clock.c"));
    let shim = folder.path().join("clock.so");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&shim, &source])
        .output();
    match output {
        Ok(output) if output.status.success() => (shim, folder),
        Ok(output) => panic!(
            "cc cannot compile clock.c:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!(
                "there is no C compiler `cc`, which these tests need: `apt-get install gcc libc6-dev`"
            )
        }
        Err(error) => panic!("cc: {error}"),
    }
});

/// The wall clock of a server. It stands until it is moved, or runs beside the real one.
#[derive(Debug)]
pub(crate) struct ServerClock {
    /// The server has it mapped into its memory and sees each write at once.
    control: File,
    path: PathBuf,
    _folder: Scratch,
}

/// Where the two numbers of `clock.c` stand.
const FROZEN: u64 = 0;
const OFFSET: u64 = 8;

impl ServerClock {
    pub(super) fn new(start_ms: i64) -> Self {
        let folder = Scratch::new("clock");
        let path = folder.write("control", [0; 16]);
        let control = File::options().read(true).write(true).open(&path).unwrap();
        let clock = Self {
            control,
            path,
            _folder: folder,
        };
        clock.set(start_ms);
        clock
    }

    /// The environment of a server that follows this clock.
    pub(super) fn env(&self) -> Env {
        vec![
            ("LD_PRELOAD".into(), SHIM.0.clone().into()),
            ("TOWER_BEARER_CLOCK".into(), self.path.clone().into()),
        ]
    }

    /// Stands at this time from now on, in milliseconds since 1970.
    pub(crate) fn set(&self, ms: i64) {
        assert_ne!(ms, 0, "zero means a clock that runs");
        self.write(FROZEN, ms);
    }

    /// Moves the clock forward, whether it stands or runs.
    pub(crate) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        match self.read(FROZEN) {
            0 => self.write(OFFSET, self.read(OFFSET) + by),
            frozen => self.write(FROZEN, frozen + by),
        }
    }

    /// Runs from now on, ahead of the real time by so many milliseconds, or behind it.
    pub(crate) fn step(&self, offset_ms: i64) {
        self.write(OFFSET, offset_ms);
        self.write(FROZEN, 0);
    }

    fn read(&self, at: u64) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, at).unwrap();
        i64::from_ne_bytes(bytes)
    }

    fn write(&self, at: u64, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), at).unwrap();
    }
}
