//! One thing that is counted.

/// Runs before a case is counted. Values that are made once and kept, by us or by a library, exist then.
const WARM_UP: usize = 3;

/// Something to do, any number of times.
pub struct Case {
    name: &'static str,
    once: Box<dyn FnMut(Counter)>,
}

/// Does the work that it is given. It says whether it came out as it should.
pub type Counter = fn(&mut dyn FnMut() -> bool) -> bool;

impl Case {
    /// Counts `work`.
    pub fn new(name: &'static str, mut work: impl FnMut() -> bool + 'static) -> Self {
        Self::prepared(name, (), |()| (), move |(), ()| work())
    }

    /// Counts `work` on `state` with what `prepare` has made for it, uncounted.
    pub fn prepared<S: 'static, T>(
        name: &'static str,
        mut state: S,
        mut prepare: impl FnMut(&mut S) -> T + 'static,
        mut work: impl FnMut(&mut S, T) -> bool + 'static,
    ) -> Self {
        let once = move |counter: Counter| {
            let mut input = Some(prepare(&mut state));
            let mut work = || work(&mut state, input.take().unwrap());
            assert!(counter(&mut work), "{name}");
        };
        Self {
            name,
            once: Box::new(once),
        }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Lets `counter` do the work once, when it has been done some times already.
    pub fn count(&mut self, counter: Counter) {
        for _ in 0..WARM_UP {
            self.try_out();
        }
        (self.once)(counter);
    }

    /// Does the work once, uncounted.
    pub fn try_out(&mut self) {
        (self.once)(|work| work());
    }
}
