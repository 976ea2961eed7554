//! Rounds: each visits every case once, in another order. So a disturbance of the machine for a while meets all of
//! them. A ratio is taken within a round.

use std::time::{Duration, Instant};

use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::case::{Case, Problem};

/// How long one visit takes, roughly.
const BATCH: Duration = Duration::from_micros(250);
/// Fewer rounds say too little about the spread.
const FEWEST: usize = 31;

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    Rounds(usize),
    Time(Duration),
}

/// Nanoseconds per call of one case, a figure per round.
pub struct Series {
    pub name: String,
    pub allocations: Option<u64>,
    pub nanos: Vec<f64>,
}

/// Checks every case once.
pub fn check(cases: &mut [Box<dyn Case>]) -> Result<(), Problem> {
    cases.iter_mut().try_for_each(|case| case.check())
}

/// Checks, counts, calibrates, and measures until `length` is over.
pub fn run(cases: &mut [Box<dyn Case>], length: Length, seed: u64) -> Result<Vec<Series>, Problem> {
    let start = Instant::now();
    check(cases)?;
    let mut series = Vec::new();
    let mut calls = Vec::new();
    for case in cases.iter_mut() {
        series.push(Series {
            name: case.name().to_owned(),
            allocations: case.allocations()?,
            nanos: Vec::new(),
        });
        calls.push(calibrate(case.as_mut())?);
    }
    let mut order: Vec<usize> = (0..cases.len()).collect();
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0.. {
        let over = match length {
            Length::Rounds(rounds) => round >= rounds,
            Length::Time(time) => round >= FEWEST && start.elapsed() >= time,
        };
        if over {
            break;
        }
        order.shuffle(&mut random);
        for &at in &order {
            let (case, calls) = (&mut cases[at], calls[at]);
            // Data that the case before has thrown out of the caches comes back outside of the time.
            case.time((calls / 8).max(1))?;
            let time = case.time(calls)?;
            series[at].nanos.push(time.as_nanos() as f64 / calls as f64);
        }
    }
    Ok(series)
}

/// How many calls make a batch. Warms the case up as well.
fn calibrate(case: &mut dyn Case) -> Result<u64, Problem> {
    let mut calls = 1;
    loop {
        let time = case.time(calls)?;
        if time >= BATCH {
            let fitting = calls as f64 * BATCH.as_secs_f64() / time.as_secs_f64();
            return Ok((fitting as u64).max(1));
        }
        calls *= 2;
    }
}
