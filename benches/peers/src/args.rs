//! The command line.

use std::time::Duration;

use crate::{peers::jsonwebtoken::Backend, rounds::Length, worker};

pub const USAGE: &str = "\
usage: peers [--check | --http] [--rounds N | --seconds N] [--seed N] [--only TEXT]...

  --check      does everything once, looks at what comes out, and times nothing
  --http       compares servers over loopback HTTP/1.1, with wrk or oha
  --rounds N   measures N rounds
  --seconds N  measures for N seconds: 220 by default
  --seed N     repeats the order of an earlier run
  --only TEXT  leaves out what has no such text in its name; several add up";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Measure,
    Help,
    Check,
    Http,
    /// Not for people: a further process of a run.
    Worker(Backend),
}

#[derive(Debug)]
pub struct Args {
    pub mode: Mode,
    pub length: Option<Length>,
    pub seed: Option<u64>,
    pub only: Vec<String>,
}

impl Args {
    /// Returns whether a case of this name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text))
    }

    pub fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            mode: Mode::Measure,
            length: None,
            seed: None,
            only: Vec::new(),
        };
        let mut args = args;
        while let Some(arg) = args.next() {
            if arg == "--only" {
                parsed.only.push(args.next().ok_or("--only needs a text")?);
                continue;
            }
            let mode = match &*arg {
                "--help" => Some(Mode::Help),
                "--check" => Some(Mode::Check),
                "--http" => Some(Mode::Http),
                worker::ARGUMENT => {
                    let name = args.next().unwrap_or_default();
                    let backend = Backend::ALL.into_iter().find(|one| one.name() == name);
                    Some(Mode::Worker(backend.ok_or("no such backend")?))
                }
                _ => None,
            };
            let length = match &*arg {
                "--rounds" => Some(Length::Rounds(number(&arg, args.next())?.max(1) as usize)),
                "--seconds" => Some(Length::Time(Duration::from_secs(number(
                    &arg,
                    args.next(),
                )?))),
                _ => None,
            };
            match (mode, length) {
                (Some(mode), _) if parsed.mode == Mode::Measure => parsed.mode = mode,
                (_, Some(length)) if parsed.length.is_none() => parsed.length = Some(length),
                _ if arg == "--seed" => parsed.seed = Some(number(&arg, args.next())?),
                _ => return Err(format!("{arg} is unknown, or one too many")),
            }
        }
        Ok(parsed)
    }
}

fn number(arg: &str, value: Option<String>) -> Result<u64, String> {
    let value = value.and_then(|value| value.parse().ok());
    value.ok_or(format!("{arg} needs a number"))
}
