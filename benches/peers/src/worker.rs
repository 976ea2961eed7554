//! A further process of this program, for cases that cannot be measured in this one.
//!
//! It is asked line by line, a batch at a time. So its batches lie among those of the others. In between it waits for
//! the next line and uses no processor time.

use std::{
    cell::RefCell,
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
    time::Duration,
};

use crate::{
    case::{Case, Problem},
    peers::jsonwebtoken::Backend,
};

/// The argument that makes this program a worker; the name of a backend follows it.
pub const ARGUMENT: &str = "--worker";

const CHECK: &str = "check";
const ALLOCATIONS: &str = "allocations";
const TIME: &str = "time";

/// The process and the two ends of its pipes. It ends when its input does.
struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// A case that the worker runs.
struct Remote {
    worker: Rc<RefCell<Worker>>,
    index: usize,
    name: String,
}

/// Starts the process, and gives the cases that it says it has.
pub fn start(backend: Backend) -> Result<Vec<Box<dyn Case>>, Problem> {
    let mut worker = Worker::start(backend).map_err(failed)?;
    let names = worker.line().map_err(failed)?;
    let worker = Rc::new(RefCell::new(worker));
    let cases = names.split_whitespace().enumerate().map(|(index, name)| {
        Box::new(Remote {
            worker: worker.clone(),
            index,
            name: name.to_owned(),
        }) as Box<dyn Case>
    });
    Ok(cases.collect())
}

/// Answers as the worker until there are no more questions.
pub fn serve(mut cases: Vec<Box<dyn Case>>) -> Result<(), Problem> {
    let names: Vec<&str> = cases.iter().map(|case| case.name()).collect();
    println!("{}", names.join(" "));
    for line in io::stdin().lines() {
        let line = line.map_err(failed)?;
        match answer(&mut cases, &line) {
            Ok(value) => println!("ok {value}"),
            Err(problem) => println!("problem {}", problem.replace('\n', " ")),
        }
    }
    Ok(())
}

fn answer(cases: &mut [Box<dyn Case>], line: &str) -> Result<String, Problem> {
    let mut words = line.split(' ');
    let question = words.next().unwrap_or_default();
    let index = words.next().and_then(|word| word.parse::<usize>().ok());
    let case = index.and_then(|index| cases.get_mut(index));
    let case = case.ok_or("the worker has no such case")?;
    match question {
        CHECK => case.check().map(|()| String::new()),
        ALLOCATIONS => {
            let counted = case.allocations()?;
            Ok(counted.map(|n| n.to_string()).unwrap_or_default())
        }
        TIME => {
            let calls = words.next().and_then(|word| word.parse().ok());
            let time = case.time(calls.ok_or("the worker was not told how often")?)?;
            Ok(time.as_nanos().to_string())
        }
        _ => Err("the worker does not know the question".to_owned()),
    }
}

impl Worker {
    fn start(backend: Backend) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args([ARGUMENT, backend.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| io::Error::other("it has no output"))?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.output.read_line(&mut line)? {
            0 => Err(io::Error::other("it has ended")),
            _ => Ok(line),
        }
    }

    fn ask(&mut self, question: &str) -> Result<String, Problem> {
        let asked = match &mut self.input {
            Some(input) => writeln!(input, "{question}"),
            None => Err(io::Error::other("it has no input")),
        };
        let line = asked.and_then(|()| self.line()).map_err(failed)?;
        match line.trim_end().split_once(' ') {
            Some(("ok", value)) => Ok(value.to_owned()),
            Some(("problem", problem)) => Err(problem.to_owned()),
            _ if line.trim_end() == "ok" => Ok(String::new()),
            _ => Err(format!("the worker says {line:?}")),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.input = None;
        // No process is left to be told.
        let _ = self.child.wait();
    }
}

impl Remote {
    fn ask(&self, question: &str, more: &str) -> Result<String, Problem> {
        let line = format!("{question} {}{more}", self.index);
        self.worker.borrow_mut().ask(&line)
    }
}

impl Case for Remote {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&mut self) -> Result<(), Problem> {
        self.ask(CHECK, "").map(drop)
    }

    fn time(&mut self, calls: u64) -> Result<Duration, Problem> {
        let nanos = self.ask(TIME, &format!(" {calls}"))?;
        let nanos = nanos.parse().map_err(|_| format!("{nanos:?} is no time"))?;
        Ok(Duration::from_nanos(nanos))
    }

    fn allocations(&mut self) -> Result<Option<u64>, Problem> {
        let counted = self.ask(ALLOCATIONS, "")?;
        Ok(counted.parse().ok())
    }
}

fn failed(error: io::Error) -> Problem {
    format!("a further process: {error}")
}
