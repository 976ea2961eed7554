//! Faults between a client and a server.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{sync::watch, time::timeout};

/// Longer than a test takes to send what it has armed something for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A state that lasts until it is changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    Forward,
    Delay(Duration),
    BlackHole,
    Chaos(Chaos),
}

/// The message that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection is cut before the request reaches the server.
    Request,
    /// The server has done it and answered; the connection is cut instead.
    Reply,
    /// The server has done it and answered; nothing comes from this connection any more.
    Hold,
}

/// Which request is meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Which {
    marker: Vec<u8>,
    /// How many like it go through before.
    skip: usize,
}

impl Which {
    pub(crate) fn next() -> Self {
        Self::default()
    }

    /// The next with these bytes in it, such as `EVALSHA`.
    pub(crate) fn containing(marker: impl Into<Vec<u8>>) -> Self {
        Self {
            marker: marker.into(),
            skip: 0,
        }
    }

    /// The `n`-th of them; the first is the next.
    pub(crate) fn nth(self, n: usize) -> Self {
        assert!(n > 0, "the first is the next");
        Self {
            skip: n - 1,
            ..self
        }
    }

    fn means(&self, request: &[u8]) -> bool {
        let length = self.marker.len();
        length == 0 || request.windows(length).any(|part| part == self.marker)
    }
}

/// A loss that waits for its request.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) loss: Loss,
    which: Which,
    struck: watch::Sender<bool>,
}

/// Tells whether a loss has come about.
#[derive(Debug)]
pub(crate) struct Armed(watch::Receiver<bool>);

impl Rule {
    pub(super) fn new(loss: Loss, which: Which) -> (Self, Armed) {
        let (struck, receiver) = watch::channel(false);
        let rule = Self {
            loss,
            which,
            struck,
        };
        (rule, Armed(receiver))
    }

    pub(super) fn strike(&self) {
        self.struck.send_replace(true);
    }
}

impl Armed {
    pub(crate) fn has_struck(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for it. Of a lost reply this tells that the server has done what it was asked.
    pub(crate) async fn struck(&mut self) {
        let struck = timeout(PATIENCE, self.0.wait_for(|&struck| struck)).await;
        assert!(
            matches!(struck, Ok(Ok(_))),
            "no request met what was armed: not within {PATIENCE:?}, or disarmed before"
        );
    }
}

/// The rule that strikes this request, if one does. All count it.
pub(super) fn meet(rules: &mut Vec<Rule>, request: &[u8]) -> Option<Rule> {
    let mut met = None;
    for (index, rule) in rules.iter_mut().enumerate() {
        if !rule.which.means(request) {
            continue;
        }
        if rule.which.skip > 0 {
            rule.which.skip -= 1;
        } else if met.is_none() {
            met = Some(index);
        }
    }
    met.map(|index| rules.remove(index))
}

/// Delays and cuts by chance. The same seed decides the same about the same request of the same
/// connection, both counted from the proxy's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chaos {
    pub(crate) seed: u64,
    /// Replies come later by up to so much.
    pub(crate) delay_max: Duration,
    /// For each request, and again for each reply, the probability that the connection is cut there. It is cut after a
    /// part of it or none.
    pub(crate) cut_probability: f64,
}

/// Where something is on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) connection: u64,
    pub(super) is_reply: bool,
    /// Its number there, counted from one.
    pub(super) number: u64,
}

impl Mode {
    /// After how many bytes the connection is cut, if it is.
    pub(super) fn cut(&self, place: Place, length: usize) -> Option<usize> {
        let Self::Chaos(chaos) = self else {
            return None;
        };
        let mut dice = chaos.dice(place);
        dice.random_bool(chaos.cut_probability)
            .then(|| dice.random_range(0..length))
    }

    pub(super) fn delay(&self, place: Place) -> Duration {
        match self {
            Self::Forward | Self::BlackHole => Duration::ZERO,
            Self::Delay(by) => *by,
            Self::Chaos(chaos) => {
                let mut dice = chaos.dice(place);
                // Not the number that decides on the cut, which was no small one if this is asked.
                let _: u64 = dice.random();
                dice.random_range(Duration::ZERO..=chaos.delay_max)
            }
        }
    }
}

impl Chaos {
    /// Numbers that depend on the place alone, not on what happened elsewhere before.
    fn dice(&self, place: Place) -> ChaCha8Rng {
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        dice.set_stream(2 * place.connection + u64::from(place.is_reply));
        // A block is sixteen words and enough for one place.
        dice.set_word_pos(16 * u128::from(place.number));
        dice
    }
}
