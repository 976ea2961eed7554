//! The three engines, each behind the driver of its own makers.

use std::{
    env, fs,
    path::PathBuf,
    process::Stdio,
    str::FromStr,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;
use thirtyfour::{Capabilities, ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use super::{PATIENCE, display::Display, until};
use crate::{port::Port, program::lines};

/// A program that shows pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    /// WebKitGTK. It treats cookies as Safari does: it keeps no `Secure` one over plain http, not
    /// even on this machine.
    WebKit,
}

/// A test of this name for each engine, by a function that takes the engine.
macro_rules! in_every_engine {
    ($($scenario:ident)*) => { $(
        mod $scenario {
            use crate::harness::Engine;

            #[tokio::test(flavor = "multi_thread")]
            async fn chromium() {
                super::$scenario(Engine::Chromium).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn firefox() {
                super::$scenario(Engine::Firefox).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn webkit() {
                super::$scenario(Engine::WebKit).await;
            }
        }
    )* };
}
pub(crate) use in_every_engine;

/// A browser without a screen, with a profile of its own. All of it ends with this value.
pub(crate) struct Running {
    // Dropped in this order: the driver closes the browser before it is ended itself.
    pub(crate) driver: WebDriver,
    _process: Child,
    _display: Option<Display>,
    profile: Profile,
}

/// The state that a browser keeps between two starts: a folder that goes with this value.
pub(crate) struct Profile(PathBuf);

impl Profile {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tower-bearer-browser-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Running {
    /// Closes the browser as its user does: it writes down what it has to keep.
    pub(crate) async fn close(self) -> Profile {
        self.driver.quit().await.unwrap();
        self.profile
    }

    /// Ends all processes of the browser at once: it writes nothing any more.
    pub(crate) async fn kill(self) -> Profile {
        let id = self.driver.capabilities().get("goog:processID");
        let id = id.and_then(Value::as_u64).expect("Chromium tells its id");
        let family = family(id).into_iter().map(|id| id.to_string());
        let killed = Command::new("kill").arg("-9").args(family).status().await;
        assert!(killed.unwrap().success());
        // There is nothing left to close.
        self.driver.leak().unwrap();
        self.profile
    }
}

/// A process, its children, and theirs.
fn family(first: u64) -> Vec<u64> {
    let parents: Vec<(u64, u64)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            // Number, name in brackets, state, parent.
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (_, rest) = stat.rsplit_once(") ")?;
            Some((id, rest.split(' ').nth(1)?.parse().ok()?))
        })
        .collect();
    let mut family = vec![first];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        family.extend(children.map(|(id, _)| id));
        at += 1;
    }
    family
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Engine {
    /// Starts the browser with a fresh profile.
    pub(crate) async fn start(self) -> Running {
        self.start_in(Profile::new()).await
    }

    /// Starts the browser and its driver, on ports that are free.
    pub(crate) async fn start_in(self, profile: Profile) -> Running {
        let mut command = Command::new(installed(match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
            Self::WebKit => "WebKitWebDriver",
        }));
        command.env("HOME", &profile.0);
        let (process, display, port) = match self {
            Self::Chromium => {
                let port = "started successfully on port ";
                command.arg("--port=0");
                // A port that is free over IPv4 may be taken over IPv6. It ends then, and gets another.
                let mut tries = 0..5;
                let (process, port) = loop {
                    match (told(&mut command, port).await, tries.next()) {
                        (Some(started), _) => break started,
                        (None, Some(_)) => {}
                        (None, None) => panic!("chromedriver ends at once"),
                    }
                };
                (process, None, port)
            }
            Self::Firefox => {
                command.args(["--port=0", "--websocket-port=0", "--profile-root"]);
                let port = "Listening on 127.0.0.1:";
                let started = told(command.arg(&profile.0), port).await;
                let (process, port) = started.expect("geckodriver says where it listens");
                (process, None, port)
            }
            Self::WebKit => {
                let display = Display::start().await;
                // It does not tell a port that it takes by itself.
                let reserved = Port::reserve();
                let port = reserved.number();
                command.env("DISPLAY", display.name());
                command.arg(format!("--port={port}")).stdout(Stdio::null());
                let process = spawned(&mut command);
                until("WebKitWebDriver listens", async || {
                    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
                })
                .await;
                (process, Some(display), port)
            }
        };
        let url = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(url, self.capabilities(&profile)).await;
        Running {
            driver: driver.unwrap_or_else(|error| {
                panic!("{self:?} does not start ({error}): scripts/install-browser installs it")
            }),
            _process: process,
            _display: display,
            profile,
        }
    }

    fn capabilities(self, profile: &Profile) -> Capabilities {
        match self {
            Self::Chromium => {
                let mut capabilities = DesiredCapabilities::chrome();
                for argument in [
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--disable-dev-shm-usage",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--window-size=1040,1180",
                    // Names of other sites, all of them on this machine.
                    "--host-resolver-rules=MAP *.test 127.0.0.1",
                    &format!("--user-data-dir={}", profile.0.display()),
                ] {
                    capabilities.add_arg(argument).unwrap();
                }
                capabilities.into()
            }
            Self::Firefox => {
                let mut capabilities = DesiredCapabilities::firefox();
                capabilities.set_headless().unwrap();
                // The driver prefers any other Firefox that it finds.
                let browser = installed("firefox-esr");
                let browser = browser.to_str().expect("a path in UTF-8");
                capabilities.set_firefox_binary(browser).unwrap();
                capabilities.into()
            }
            Self::WebKit => {
                let mut capabilities = Capabilities::new();
                capabilities.set("browserName", "MiniBrowser").unwrap();
                capabilities
            }
        }
    }
}

/// The path of a program that `scripts/install-browser` installs. Cargo puts those that it builds where not
/// every PATH looks.
pub(super) fn installed(name: &str) -> PathBuf {
    let paths = env::var_os("PATH").unwrap_or_default();
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(env::home_dir()?.join(".cargo")));
    env::split_paths(&paths)
        .chain(cargo.map(|folder| folder.join("bin")))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: scripts/install-browser installs it"))
}

/// Starts a program, which ends with the value.
fn spawned(command: &mut Command) -> Child {
    let child = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    child.unwrap_or_else(|error| {
        let program = command.as_std().get_program();
        panic!("{program:?} does not start: {error}")
    })
}

/// Starts a program that prints a number after `before`, or nothing where it ends before that. The rest is read
/// too: a full pipe would stop it.
pub(super) async fn told<N: FromStr>(command: &mut Command, before: &str) -> Option<(Child, N)> {
    let mut process = spawned(command.stdout(Stdio::piped()));
    let mut out = lines(process.stdout.take().unwrap());
    let number = async {
        while let Some(line) = out.recv().await {
            if let Some((_, number)) = line.split_once(before)
                && let Ok(number) = number.trim_end_matches('.').parse()
            {
                return Some(number);
            }
        }
        None
    };
    let number = tokio::time::timeout(PATIENCE, number)
        .await
        .unwrap_or_else(|_| panic!("it never said `{before}`"));
    Some((process, number?))
}
