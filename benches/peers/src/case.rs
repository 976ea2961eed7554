//! A case: one thing that is done over and over, and how often it allocates.

use std::{
    fmt::Debug,
    hint::black_box,
    rc::Rc,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{allocations, tokens::Form};

/// The fault, with the name of the case in front.
pub type Problem = String;

pub trait Case {
    fn name(&self) -> &str;

    /// Does it once and looks closely at what comes out.
    fn check(&mut self) -> Result<(), Problem>;

    /// How long it takes to do it `calls` times. An outcome that is not the right one is a problem.
    fn time(&mut self, calls: u64) -> Result<Duration, Problem>;

    /// How many allocations one call makes; nothing when they are not counted.
    fn allocations(&mut self) -> Result<Option<u64>, Problem>;
}

/// A case of this process. Every call has to give `Ok`; what it gives is dropped within the time.
struct Local<F, G> {
    name: String,
    call: F,
    inspect: G,
}

/// Returns the case `name`: `call` is measured, and `inspect` checks the result of one call.
pub fn case<T, E, F, G>(name: impl Into<String>, call: F, inspect: G) -> Box<dyn Case>
where
    T: 'static,
    E: Debug + 'static,
    F: FnMut() -> Result<T, E> + 'static,
    G: Fn(&T) -> Result<(), String> + 'static,
{
    let name = name.into();
    Box::new(Local {
        name,
        call,
        inspect,
    })
}

impl<T, E, F, G> Case for Local<F, G>
where
    E: Debug,
    F: FnMut() -> Result<T, E>,
    G: Fn(&T) -> Result<(), String>,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&mut self) -> Result<(), Problem> {
        let given = (self.call)().map_err(|error| problem(&self.name, error))?;
        (self.inspect)(&given).map_err(|error| format!("{}: {error}", self.name))
    }

    fn time(&mut self, calls: u64) -> Result<Duration, Problem> {
        time(&mut self.call, calls).map_err(|error| problem(&self.name, error))
    }

    fn allocations(&mut self) -> Result<Option<u64>, Problem> {
        let mut outcome = Ok(());
        // The set-up of a first call is not counted.
        for _ in 0..2 {
            black_box((self.call)()).map_err(|error| problem(&self.name, error))?;
        }
        let counted = allocations::count(|| outcome = black_box((self.call)()).map(drop));
        outcome.map_err(|error| problem(&self.name, error))?;
        Ok(counted)
    }
}

/// A case that verifies a token. Those that it must not take are tried when it is checked.
struct Verifying {
    case: Box<dyn Case>,
    refuses: Box<dyn Fn() -> Result<(), Problem>>,
}

/// Returns the case `name`: verifying the good one among `tokens`.
pub fn verifying<T, E>(
    name: impl Into<String>,
    tokens: &Form,
    verify: impl Fn(&str) -> Result<T, E> + 'static,
    inspect: impl Fn(&T) -> Result<(), String> + 'static,
) -> Box<dyn Case>
where
    T: 'static,
    E: Debug + 'static,
{
    let (name, verify) = (name.into(), Rc::new(verify));
    let refuses = {
        let (name, verify, bad) = (name.clone(), verify.clone(), tokens.bad.clone());
        move || {
            let taken = bad.iter().find(|(_, token)| verify(token).is_ok());
            taken.map_or(Ok(()), |(what, _)| {
                Err(format!("{name} takes a token {what}"))
            })
        }
    };
    let good = tokens.good.clone();
    Box::new(Verifying {
        case: case(name, move || verify(black_box(&good)), inspect),
        refuses: Box::new(refuses),
    })
}

impl Case for Verifying {
    fn name(&self) -> &str {
        self.case.name()
    }

    fn check(&mut self) -> Result<(), Problem> {
        self.case.check()?;
        (self.refuses)()
    }

    fn time(&mut self, calls: u64) -> Result<Duration, Problem> {
        self.case.time(calls)
    }

    fn allocations(&mut self) -> Result<Option<u64>, Problem> {
        self.case.allocations()
    }
}

/// The same done on several threads at once. The time is that until the last of them is done.
struct Parallel<F> {
    name: String,
    threads: usize,
    token: String,
    verify: F,
}

/// Returns the case `name@2threads`: verifying the good one among `tokens`.
pub fn on_two_threads<T, E, F>(name: &str, tokens: &Form, verify: F) -> Box<dyn Case>
where
    T: 'static,
    E: Debug + Send + 'static,
    F: Fn(&str) -> Result<T, E> + Sync + 'static,
{
    Box::new(Parallel {
        name: format!("{name}@2threads"),
        threads: 2,
        token: tokens.good.clone(),
        verify,
    })
}

impl<T, E, F> Case for Parallel<F>
where
    E: Debug + Send,
    F: Fn(&str) -> Result<T, E> + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&mut self) -> Result<(), Problem> {
        self.time(1).map(drop)
    }

    fn time(&mut self, calls: u64) -> Result<Duration, Problem> {
        let start = Barrier::new(self.threads);
        let one = || {
            start.wait();
            time(&mut || (self.verify)(black_box(&self.token)), calls)
        };
        let slowest = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(one)).collect();
            let times = threads.into_iter().map(|thread| match thread.join() {
                Ok(time) => time.map_err(|error| problem(&self.name, error)),
                Err(_) => Err(format!("{}: a thread has panicked", self.name)),
            });
            times.collect::<Result<Vec<_>, _>>()
        })?;
        Ok(slowest.into_iter().max().unwrap_or_default())
    }

    fn allocations(&mut self) -> Result<Option<u64>, Problem> {
        Ok(None)
    }
}

fn time<T, E>(call: &mut impl FnMut() -> Result<T, E>, calls: u64) -> Result<Duration, E> {
    allocations::uncounted(|| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(call())?;
        }
        Ok(start.elapsed())
    })
}

fn problem(name: &str, error: impl Debug) -> Problem {
    format!("{name} went wrong: {error:?}")
}
