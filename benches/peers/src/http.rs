//! The same over loopback HTTP/1.1: requests per second behind each layer, as a share of bare axum's.
//!
//! Every server has a thread and a runtime of its own. One processor is left for the tool that sends the requests. The
//! servers take turns; those whose turn it is not wait for connections and cost nothing.

use std::{
    io,
    net::SocketAddr,
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::{
    aims::Bound,
    args::Args,
    case::Problem,
    report::verdict,
    rounds::Length,
    statistics::Summary,
    tokens::Tokens,
    web::{self, App},
};

/// Fits five minutes with a second to spare for each turn.
const USUAL_LENGTH: Length = Length::Time(Duration::from_secs(220));
/// How long each turn takes, in seconds.
const TURN: u32 = 2;
const CONNECTIONS: u32 = 64;

/// Shares of the bare server's requests per second.
const AIMS: [(&str, f64); 2] = [("http_nested", 0.75), ("http_cached", 0.9)];

#[derive(Clone, Copy)]
enum Tool {
    Wrk,
    Oha,
}

struct Server {
    name: String,
    url: String,
    headers: Vec<String>,
    rates: Vec<f64>,
}

pub fn run(tokens: &Tokens, args: &Args, seed: u64) -> Result<(), Problem> {
    let tool = Tool::find()?;
    let mut apps = web::for_http(tokens);
    // The bare one is what the others are compared with.
    let bare = apps.first().map(|app| app.name.clone()).unwrap_or_default();
    apps.retain(|app| app.name == bare || args.wants(&app.name));
    let servers = apps.into_iter().map(Server::start);
    let mut servers = servers.collect::<Result<Vec<_>, _>>()?;
    let (length, start) = (args.length.unwrap_or(USUAL_LENGTH), Instant::now());
    let mut random = StdRng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..servers.len()).collect();
    for round in 0.. {
        let over = match length {
            Length::Rounds(rounds) => round >= rounds,
            Length::Time(time) => round > 0 && start.elapsed() >= time,
        };
        if over {
            break;
        }
        order.shuffle(&mut random);
        for &at in &order {
            let rate = tool.rate(&servers[at])?;
            servers[at].rates.push(rate);
        }
    }
    report(&servers);
    Ok(())
}

impl Tool {
    fn find() -> Result<Self, Problem> {
        // Whether it can be started; what it says is of no interest.
        let found = |program: &str| Command::new(program).arg("--version").output().is_ok();
        match () {
            () if found("wrk") => Ok(Self::Wrk),
            () if found("oha") => Ok(Self::Oha),
            () => Err("neither wrk nor oha is installed: apt-get install wrk".to_owned()),
        }
    }

    /// Requests per second.
    fn rate(self, server: &Server) -> Result<f64, Problem> {
        let mut command = match self {
            Self::Wrk => Command::new("wrk"),
            Self::Oha => Command::new("oha"),
        };
        match self {
            Self::Wrk => command.arg("-t1").arg(format!("-d{TURN}s")),
            Self::Oha => command.arg("--no-tui").arg(format!("-z{TURN}s")),
        };
        command.arg(format!("-c{CONNECTIONS}"));
        for header in &server.headers {
            command.args(["-H", header]);
        }
        let output = command.arg(&server.url).output();
        let output = output.map_err(|error| format!("{}: {error}", server.name))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let value = |name: &str| {
            let mut lines = text.lines().map(str::trim);
            lines.find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
        };
        let refused = match self {
            Self::Wrk => text.contains("Non-2xx"),
            Self::Oha => !text.contains("[200]"),
        };
        match value("Requests/sec:") {
            Some(rate) if !refused && output.status.success() => Ok(rate),
            _ => Err(format!(
                "{} did not answer as it should:\n{text}",
                server.name
            )),
        }
    }
}

impl Server {
    fn start(app: App) -> Result<Self, Problem> {
        let headers = app
            .heads
            .first()
            .into_iter()
            .flat_map(|head| head.headers());
        let headers = headers.filter(|(name, _)| *name != ::http::header::HOST);
        let headers = headers.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            format!("{name}: {value}")
        });
        let headers = headers.collect();
        let (name, router) = (app.name, app.router);
        let (bound, address) = mpsc::channel();
        // It serves until the program ends.
        thread::spawn(move || {
            if let Err(error) = serve(router, &bound) {
                let _ = bound.send(Err(error));
            }
        });
        let address = address.recv().map_err(|error| error.to_string())?;
        let address = address.map_err(|error| format!("{name}: {error}"))?;
        Ok(Self {
            name,
            url: format!("http://{address}/"),
            headers,
            rates: Vec::new(),
        })
    }
}

fn serve(router: axum::Router, bound: &mpsc::Sender<io::Result<SocketAddr>>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let _ = bound.send(listener.local_addr());
        axum::serve(listener, router).await
    })
}

fn report(servers: &[Server]) {
    println!(
        "{:<24} {:>10} {:>7}",
        "requests per second", "median", "spread"
    );
    for server in servers {
        if let Some(rate) = Summary::of(&server.rates) {
            println!(
                "{:<24} {:>10.0} {:>6.1}%",
                server.name,
                rate.median,
                rate.deviation * 100.0
            );
        }
    }
    let Some((bare, others)) = servers.split_first() else {
        return;
    };
    let shares = others.iter().filter_map(|server| {
        let shares = server.rates.iter().zip(&bare.rates);
        let shares: Vec<f64> = shares.map(|(rate, bare)| rate / bare).collect();
        Some((server, Summary::of(&shares)?))
    });
    let shares: Vec<_> = shares.collect();
    println!(
        "\n{:<24} {:>10} {:>7}  aim",
        "share of bare", "median", "spread"
    );
    for (server, share) in &shares {
        let aim = AIMS.iter().find(|(name, _)| *name == server.name);
        let aim = aim.map(|(_, least)| verdict(Bound::AtLeast(*least), share.median));
        println!(
            "{:<24} {:>10.3} {:>6.1}%  {}",
            server.name,
            share.median,
            share.deviation * 100.0,
            aim.unwrap_or_default()
        );
    }
    println!();
    for (server, share) in &shares {
        println!("ratio {}/{} {:.4}", server.name, bare.name, share.median);
    }
}
