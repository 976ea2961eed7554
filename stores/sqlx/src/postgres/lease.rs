//! A connection on loan, which is given back in the state it was taken in, or not at all.

use std::{mem, sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Connection, Either, Execute, Executor, PgConnection, Postgres, Row as _,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
    raw_sql,
};
use tokio::{
    runtime::Handle,
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::{
    connections::Own,
    failure::Failure,
    limits::{Durability, Limits},
};

/// A statement that is a transaction of its own begins it in the moment that the statement arrives.
const IS_OUTSIDE: &str = "SELECT transaction_timestamp() = statement_timestamp()";

/// The server's code where a statement of the open transaction has failed: it takes none but its end.
const FAILED_TRANSACTION: &str = "25P02";

/// A statement with its parameters.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

pub(super) struct Lease {
    held: Held,
    state: State,
    pub(super) limits: Arc<Limits>,
}

pub(super) enum Held {
    Own {
        connection: PgConnection,
        opened: Instant,
        home: Arc<Own>,
        room: OwnedSemaphorePermit,
    },
    Shared(PoolConnection<Postgres>),
    /// It was given back.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The last answer was read to its end, and no transaction is open.
    Clean,
    /// A statement is under way that is a transaction of its own.
    Asking,
    /// A transaction is open, or may be.
    Open,
    /// Not to be used again.
    Lost,
}

/// The rows that a statement returned, and how many it wrote.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<PgRow>,
    pub(super) affected: u64,
}

impl Lease {
    pub(super) fn new(held: Held, limits: Arc<Limits>) -> Self {
        Self {
            held,
            state: State::Clean,
            limits,
        }
    }

    /// Runs one statement: in the transaction that is open, or as one of its own.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<Answer, Failure> {
        self.run_as(Durability::Kept, statement).await
    }

    /// The same for a write that may be on disk later. A prepared statement says so itself.
    pub(super) async fn run_as(
        &mut self,
        durability: Durability,
        statement: Statement<'_>,
    ) -> Result<Answer, Failure> {
        let statement = statement.persistent(self.limits.prepared);
        if self.limits.prepared || self.state == State::Open {
            return self.ask(statement).await.map(last);
        }
        // An unnamed statement is prepared by one message and run by the next. A pooler may send them to two servers,
        // unless a transaction holds them together.
        self.begin_as(durability, "").await?;
        let answer = self.ask(statement).await.map(last)?;
        self.commit().await?;
        Ok(answer)
    }

    /// Begins a transaction and runs `then`, statements without parameters, in one round trip. Returns the answer to
    /// the last of them.
    pub(super) async fn begin(&mut self, then: &str) -> Result<Answer, Failure> {
        self.begin_as(Durability::Kept, then).await
    }

    async fn begin_as(&mut self, durability: Durability, then: &str) -> Result<Answer, Failure> {
        let text = format!("{}{then}", self.limits.opening(durability));
        self.state = State::Open;
        self.plain(text).await
    }

    /// Runs statements without parameters. They may not hold anything of a record: servers log what fails.
    pub(super) async fn plain(&mut self, text: String) -> Result<Answer, Failure> {
        self.ask(raw_sql(AssertSqlSafe(text))).await.map(last)
    }

    pub(super) async fn commit(&mut self) -> Result<(), Failure> {
        self.ask(raw_sql("COMMIT")).await?;
        self.state = State::Clean;
        Ok(())
    }

    /// Whether no transaction is open, by the server's word: sqlx does not count those that were begun by hand.
    pub(super) async fn is_outside(&mut self) -> Result<bool, Failure> {
        let outcome = self.send(raw_sql(IS_OUTSIDE)).await;
        if let Err(sqlx::Error::Database(said)) = &outcome
            && said.code().as_deref() == Some(FAILED_TRANSACTION)
        {
            return Ok(false);
        }
        let answer = last(self.judge(outcome)?);
        let row = answer.rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(row.try_get(0)?)
    }

    /// Rolls back the transaction that another user of the connection has left open. Closes the connection: it may have
    /// been left with other settings, too.
    pub(super) async fn abandon(mut self) -> Result<(), Failure> {
        self.state = State::Open;
        let ended = self.ask(raw_sql("ROLLBACK")).await;
        self.lose();
        ended.map(drop)
    }

    /// The connection is of no use, whatever it has said.
    pub(super) fn lose(&mut self) {
        self.state = State::Lost;
    }

    async fn ask<'q>(
        &mut self,
        query: impl Execute<'q, Postgres> + 'q,
    ) -> Result<Vec<Answer>, Failure> {
        let outcome = self.send(query).await;
        self.judge(outcome)
    }

    async fn send<'q>(
        &mut self,
        query: impl Execute<'q, Postgres> + 'q,
    ) -> Result<Vec<Answer>, sqlx::Error> {
        if self.state == State::Clean {
            self.state = State::Asking;
        }
        let connection = self.held.connection();
        collect(connection.ok_or(sqlx::Error::WorkerCrashed)?, query).await
    }

    /// Notes the state that the connection is in by this answer.
    fn judge(&mut self, outcome: Result<Vec<Answer>, sqlx::Error>) -> Result<Vec<Answer>, Failure> {
        let outcome = outcome.map_err(Failure::from);
        self.state = match (&outcome, self.state) {
            (Err(failure), _) if failure.class.ends_the_connection() => State::Lost,
            (_, State::Asking) => State::Clean,
            (_, state) => state,
        };
        outcome
    }
}

async fn collect<'q>(
    connection: &mut PgConnection,
    query: impl Execute<'q, Postgres> + 'q,
) -> Result<Vec<Answer>, sqlx::Error> {
    let mut answers = Vec::new();
    let mut answer = Answer::default();
    let mut parts = connection.fetch_many(query);
    while let Some(part) = parts.try_next().await? {
        match part {
            Either::Left(end) => {
                answer.affected = end.rows_affected();
                answers.push(mem::take(&mut answer));
            }
            Either::Right(row) => answer.rows.push(row),
        }
    }
    Ok(answers)
}

fn last(mut answers: Vec<Answer>) -> Answer {
    answers.pop().unwrap_or_default()
}

impl Held {
    fn connection(&mut self) -> Option<&mut PgConnection> {
        match self {
            Self::Own { connection, .. } => Some(connection),
            Self::Shared(connection) => Some(connection),
            Self::Gone => None,
        }
    }

    fn give_back(self) {
        match self {
            Self::Own {
                connection,
                opened,
                home,
                room,
            } => {
                home.keep(connection, opened);
                // The caller that waits for it finds the connection.
                drop(room);
            }
            Self::Shared(connection) => drop(connection),
            Self::Gone => {}
        }
    }

    /// Closes it without a word, which the server may not hear.
    fn discard(self) {
        if let Self::Shared(connection) = self {
            drop(connection.detach());
        }
    }
}

impl Drop for Lease {
    /// A call may end in the middle, because its caller disconnected or its time is up. It leaves an answer that is on
    /// its way, or a transaction. Neither may meet the next call.
    fn drop(&mut self) {
        let held = mem::replace(&mut self.held, Held::Gone);
        // Without a runtime there is none to tidy up, and a pool's connection would panic.
        let Ok(runtime) = Handle::try_current() else {
            return held.discard();
        };
        match self.state {
            State::Clean => held.give_back(),
            State::Lost => held.discard(),
            State::Asking => drop(runtime.spawn(recover(held, false, self.limits.call))),
            State::Open => drop(runtime.spawn(recover(held, true, self.limits.call))),
        }
    }
}

/// Waits for the answer that is still out, ends the transaction, and gives the connection back. Where that takes as
/// long as a call may, the connection is given up.
async fn recover(mut held: Held, is_open: bool, limit: Duration) {
    let Some(connection) = held.connection() else {
        return;
    };
    let recovered = timeout(limit, async {
        match is_open {
            true => raw_sql("ROLLBACK").execute(&mut *connection).await.is_ok(),
            false => connection.ping().await.is_ok(),
        }
    });
    match recovered.await {
        Ok(true) => held.give_back(),
        _ => held.discard(),
    }
}
