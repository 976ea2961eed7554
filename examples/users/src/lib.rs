//! The users who may sign in. A real service keeps them in a database; the shape stays the same.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use argon2::{
    Argon2,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use serde::Serialize;
use tokio::{sync::Semaphore, task};

/// The one account of the demonstration.
pub const DEMO_EMAIL: &str = "dev@example.com";
/// And its password.
pub const DEMO_PASSWORD: &str = "correct horse battery staple";

/// All accounts. Cheap to clone.
#[derive(Clone)]
pub struct Users(Arc<Inner>);

struct Inner {
    accounts: Vec<Account>,
    /// Checked when the account does not exist, so that the time of the answer does not tell.
    dummy: String,
    /// One check takes 19 MiB and a core for some milliseconds. More at once would be slower, and a
    /// flood of sign-ins would take the memory of the machine.
    checks: Arc<Semaphore>,
}

struct Account {
    user: User,
    /// Its hash, as a PHC string.
    password: Mutex<String>,
}

impl Account {
    fn password(&self) -> MutexGuard<'_, String> {
        let password = self.password.lock();
        password.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The person of an account.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// The user's name in tokens: it never changes and says nothing.
    pub id: String,
    /// The user's name at sign-in.
    pub email: String,
    /// The user's name on a page.
    pub name: String,
    /// The user's role.
    pub role: String,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

impl Users {
    /// Returns the demonstration's account.
    ///
    /// # Errors
    ///
    /// When the operating system gives no salt.
    pub fn demo() -> Result<Self, password_hash::Error> {
        let user = User {
            id: "user-1".into(),
            email: DEMO_EMAIL.into(),
            name: "Dev Example".into(),
            role: "admin".into(),
        };
        let account = Account {
            user,
            password: Mutex::new(hash(DEMO_PASSWORD)?),
        };
        Ok(Self(Arc::new(Inner {
            accounts: vec![account],
            dummy: hash("the password of no account")?,
            checks: Arc::new(Semaphore::new(
                std::thread::available_parallelism().map_or(1, usize::from),
            )),
        })))
    }

    /// Returns the account that tokens call `id`.
    pub fn by_id(&self, id: &str) -> Option<&User> {
        let mut users = self.0.accounts.iter().map(|account| &account.user);
        users.find(|user| user.id == id)
    }

    /// Returns the account of `email` if `password` is right. An unknown account and a wrong password take the same
    /// time and give the same answer.
    pub async fn check(&self, email: &str, password: String) -> Option<User> {
        let email = email.trim();
        let mut accounts = self.0.accounts.iter();
        let account = accounts.find(|account| account.user.email.eq_ignore_ascii_case(email));
        let stored = account.map(|account| account.password().clone());
        let stored = stored.unwrap_or_else(|| self.0.dummy.clone());
        let right = self.slowly(move || verify(&password, &stored)).await;
        let account = account.filter(|_| right.unwrap_or(false))?;
        Some(account.user.clone())
    }

    /// Returns whether the password of the account that tokens call `id` is `password`.
    pub async fn is_password(&self, id: &str, password: String) -> bool {
        match self.by_id(id) {
            Some(user) => self.check(&user.email, password).await.is_some(),
            None => false,
        }
    }

    /// Replaces the password of the account that tokens call `id`, if there is one.
    pub async fn set_password(&self, id: &str, password: String) -> Option<()> {
        let hash = self.slowly(move || hash(&password)).await?.ok()?;
        let mut accounts = self.0.accounts.iter();
        *accounts.find(|account| account.user.id == id)?.password() = hash;
        Some(())
    }

    /// Runs Argon2, which is slow by design: on a runtime thread it would hold up every other request.
    async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // Nothing closes the semaphore, so there is always a permit to come.
        let permit = self.0.checks.clone().acquire_owned().await.ok()?;
        let done = task::spawn_blocking(move || {
            // The work goes on when the client disconnects, and so the permit goes with it.
            let _permit = permit;
            work()
        });
        done.await.ok()
    }
}

/// Argon2id with the parameters OWASP recommends and a fresh salt, as a PHC string.
fn hash(password: &str) -> Result<String, password_hash::Error> {
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

fn verify(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|stored| {
        Argon2::default()
            .verify_password(password.as_bytes(), &stored)
            .is_ok()
    })
}
