//! The end of sessions in a transaction of the application's own.

use sqlx::{Sqlite, Transaction};
use tower_bearer::{
    Clock, SessionAdmin, SessionId, SystemClock,
    admin::Ended,
    store::{self, StoreError},
};

use super::statements;
use crate::{RevokeIn, revoke_in::tags};

impl RevokeIn<Sqlite> for SessionAdmin {
    async fn revoke_in(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        subject: &str,
        keep: Option<&SessionId>,
    ) -> Result<Ended, StoreError> {
        let tags = tags(self, subject)?;
        // Before it reads. Else another connection could write in between, and this one not any more.
        statements::lock(tx).await?;
        let now = SystemClock.now();
        let mut revoked = Vec::new();
        for tag in tags {
            let mut sessions = statements::all(tx, &tag).await?;
            revoked.extend(store::revoke_all(&mut sessions, keep, now));
        }
        for session in &revoked {
            statements::put(tx, session).await?;
        }
        Ok(self.ended(subject, revoked))
    }
}
