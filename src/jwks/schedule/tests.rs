use super::{super::error::JwksError, *};

const LIMITS: Limits = Limits {
    lifetime: Duration::from_secs(300),
    floor: Duration::from_secs(60),
    ceiling: Duration::from_secs(3600),
    stale_limit: Duration::from_secs(3600),
    cool_down: Duration::from_secs(10),
    timeout: Duration::from_secs(5),
    requests: 1,
};
const START: PointInTime = PointInTime {
    date: Timestamp::from_secs(1_800_000_000),
    elapsed: Duration::from_secs(1000),
};

fn at(secs: u64) -> PointInTime {
    START.after(Duration::from_secs(secs))
}

fn held(confirmed: PointInTime) -> Held {
    Held {
        digest: Some([0; 32]),
        etag: None,
        lifetime: LIMITS.fresh_for(None),
        confirmed,
        named_until: None,
    }
}

fn error() -> JwksError {
    JwksError::timed_out(LIMITS.timeout)
}

/// Seconds from the start to the next request, by either clock.
fn next(state: &State) -> f64 {
    state.next.left(START).as_secs_f64()
}

#[test]
fn freshness_has_a_floor_and_a_ceiling() {
    let fresh = |secs: u64| LIMITS.fresh_for(Some(Duration::from_secs(secs))).as_secs();
    assert_eq!([0, 59, 60, 1800].map(fresh), [60, 60, 60, 1800]);
    assert_eq!([3600, 3601, u64::MAX].map(fresh), [3600; 3]);
    assert_eq!(LIMITS.fresh_for(None).as_secs(), 300);
}

#[test]
fn the_next_request_comes_before_the_set_is_stale_and_not_everywhere_at_once() {
    let next = |jitter| {
        let mut state = State::default();
        state.succeeded(held(START), true, Jitter(jitter));
        next(&state)
    };
    assert_eq!(next(0), 225.0);
    assert_eq!(next(u16::MAX), 262.5);
    assert!(225.0 < next(30_000) && next(30_000) < 262.5);
}

#[test]
fn failures_are_answered_with_ever_longer_pauses() {
    let mut state = State::default();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        state.failed(error(), START, Jitter(u16::MAX));
        pauses.push(next(&state) as u64);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    state.failed(error(), START, Jitter(0));
    assert_eq!(next(&state), 30.0);
    state.failures = u32::MAX;
    state.failed(error(), START, Jitter(0));
    assert_eq!(state.failures, u32::MAX);
    assert!(state.succeeded(held(START), true, Jitter(0)), "it is back");
    assert!(!state.succeeded(held(START), true, Jitter(0)));
    assert!(state.last_error.is_none());
}

#[test]
fn missing_keys_cause_one_request_a_cool_down() {
    let mut state = State::default();
    state.succeeded(held(at(0)), true, Jitter(0));
    let (mut fetches, mut wakes) = (0, 0);
    // Ten in a second, and every request takes half of one.
    for tenth in 0..6000_u64 {
        let now = START.after(Duration::from_millis(tenth * 100));
        match state.want(&LIMITS, now) {
            Want::Now => fetches += 1,
            Want::AfterCoolDown => wakes += 1,
            Want::Unchanged => {}
        }
        if state.left(&LIMITS, now).is_zero() && tenth % 5 == 0 {
            fetches += u32::from(!state.is_busy());
            state.succeeded(held(now), true, Jitter(0));
        }
    }
    // In 600 seconds, at most one in ten, and hardly fewer.
    assert!((50..=60).contains(&fetches), "{fetches}");
    assert!(wakes <= 60, "the task is woken once a cool-down: {wakes}");
}

#[test]
fn a_missing_key_causes_a_request_at_the_right_time() {
    let mut state = State::default();
    assert_eq!(state.want(&LIMITS, at(0)), Want::Unchanged, "no set yet");
    assert_eq!(state.left(&LIMITS, START), Duration::ZERO, "due at once");
    state.failed(error(), at(0), Jitter(u16::MAX));
    assert_eq!(state.want(&LIMITS, at(60)), Want::Unchanged, "nor now");
    state.succeeded(held(at(60)), true, Jitter(0));
    assert_eq!(state.left(&LIMITS, at(60)).as_secs(), 225);
    assert_eq!(state.want(&LIMITS, at(61)), Want::AfterCoolDown);
    assert_eq!(state.left(&LIMITS, at(61)).as_secs(), 9, "put off to then");
    assert_eq!(state.want(&LIMITS, at(69)), Want::Unchanged, "once");
    assert!(state.left(&LIMITS, at(70)).is_zero());
    state.succeeded(held(at(70)), true, Jitter(0));
    assert_eq!(state.left(&LIMITS, at(70)).as_secs(), 225, "met");
    assert_eq!(state.want(&LIMITS, at(80)), Want::Now);
    assert_eq!(state.want(&LIMITS, at(80)), Want::Unchanged, "under way");
    state.failed(error(), at(81), Jitter(u16::MAX));
    for secs in [81, 82, 90, 1000] {
        // The task is to try again when it is due; a missing key does not hurry it.
        assert_eq!(state.want(&LIMITS, at(secs)), Want::Unchanged, "{secs}");
    }
}

/// A failure ends the wish: the pauses decide from there on.
#[test]
fn a_missing_key_does_not_shorten_the_pauses_of_failures() {
    let mut state = State::default();
    state.succeeded(held(START), true, Jitter(0));
    assert_eq!(state.want(&LIMITS, at(1)), Want::AfterCoolDown);
    for (n, pause) in [1, 2, 4, 8].into_iter().enumerate() {
        state.failed(error(), at(100), Jitter(u16::MAX));
        assert_eq!(state.left(&LIMITS, at(100)).as_secs(), pause, "{n}");
        assert_eq!(state.want(&LIMITS, at(100)), Want::Unchanged);
    }
    // The same for an empty set, which is asked for again after a second and not at once.
    state.succeeded(held(START), true, Jitter(0));
    assert_eq!(state.want(&LIMITS, at(1)), Want::AfterCoolDown);
    assert_eq!(state.doubt(error(), &held(at(10))), Doubt::First);
    assert_eq!(state.left(&LIMITS, at(10)).as_secs(), 1);
}

/// The answer that is under way may have been made before the key was published.
#[test]
fn a_key_that_is_missing_during_a_request_is_asked_for_again() {
    let mut state = State::default();
    state.succeeded(held(START), true, Jitter(0));
    assert_eq!(state.want(&LIMITS, at(20)), Want::Now);
    assert_eq!(state.want(&LIMITS, at(20)), Want::Unchanged);
    state.succeeded(held(at(21)), true, Jitter(0));
    assert_eq!(state.left(&LIMITS, at(21)).as_secs(), 10);
    state.succeeded(held(at(31)), true, Jitter(0));
    assert_eq!(state.left(&LIMITS, at(31)).as_secs(), 225, "once");
}

/// A service that is not ready gets no request that could ask for a key.
#[test]
fn a_set_without_keys_is_asked_for_again_within_a_minute() {
    let mut state = State::default();
    state.succeeded(held(START), false, Jitter(0));
    assert_eq!(state.left(&LIMITS, START).as_secs(), 30);
    state.succeeded(held(START), false, Jitter(u16::MAX));
    assert_eq!(state.left(&LIMITS, START).as_secs(), 60);
}

/// The date may say what it likes: cool-downs and pauses end.
#[test]
fn a_date_that_is_set_back_or_ahead() {
    let mut state = State::default();
    state.succeeded(held(START), true, Jitter(0));
    let back = |secs: u64| PointInTime {
        date: START.date - Duration::from_secs(7200),
        ..at(secs)
    };
    assert_eq!(state.left(&LIMITS, back(0)).as_secs(), 225);
    assert!(state.left(&LIMITS, back(225)).is_zero());
    assert_eq!(state.want(&LIMITS, back(9)), Want::AfterCoolDown);
    assert!(state.left(&LIMITS, back(10)).is_zero());
    assert_eq!(state.want(&LIMITS, back(10)), Want::Now);
    let usable = |now| state.usable_for(&LIMITS, now).unwrap().as_secs();
    assert_eq!([usable(back(0)), usable(back(3900))], [3900, 0]);
    // The machine slept: no time went by but on the calendar.
    let ahead = PointInTime {
        date: START.date + Duration::from_secs(3900),
        elapsed: START.elapsed,
    };
    assert_eq!(usable(ahead), 0);
    assert!(state.next.left(ahead).is_zero());
}

#[test]
fn an_empty_set_is_believed_the_second_time() {
    let mut state = State::default();
    state.succeeded(held(START), true, Jitter(0));
    assert_eq!(state.doubt(error(), &held(at(100))), Doubt::First);
    assert_eq!(state.failures, 1);
    assert!(state.held.is_some());
    assert_eq!(state.next.left(at(100)).as_secs(), 1, "asked again at once");
    // A failure in between is no second word.
    state.failed(error(), at(101), Jitter(0));
    assert_eq!(state.doubt(error(), &held(at(102))), Doubt::SameAgain);
    state.succeeded(held(at(102)), true, Jitter(0));
    // A good one was in between.
    assert_eq!(state.doubt(error(), &held(at(200))), Doubt::First);
    let mut other = held(at(201));
    other.digest = Some([1; 32]);
    assert_eq!(state.doubt(error(), &other), Doubt::OtherAgain);
}

#[test]
fn a_task_that_does_not_ask_is_overdue() {
    let mut state = State::default();
    state.succeeded(held(START), true, Jitter(0));
    let late = 225 + 5 + 120;
    assert!(!state.is_overdue(&LIMITS, at(late)));
    assert!(state.is_overdue(&LIMITS, at(late + 1)));
    assert_eq!(state.ensure_running(&LIMITS), at(late).date);
    state.started_late(at(late + 1));
    assert!(!state.is_overdue(&LIMITS, at(late + 1)));
    // Nor does it have to be the next one by itself that does not end.
    state.succeeded(held(at(1000)), true, Jitter(0));
    state.begin(at(1010));
    assert!(!state.is_overdue(&LIMITS, at(1010 + 125)));
    assert!(state.is_overdue(&LIMITS, at(1010 + 126)));
}

#[test]
fn when_to_come_back() {
    let mut state = State::default();
    let secs = |state: &State, now| state.retry_after(&LIMITS, now).as_secs();
    assert_eq!(secs(&state, at(0)), 1);
    state.failures = 5;
    state.failed(error(), at(0), Jitter(u16::MAX));
    assert_eq!(secs(&state, at(0)), 32);
    assert_eq!(
        secs(&state, START.after(Duration::from_millis(30_001))),
        2,
        "up to the whole second"
    );
    assert_eq!(secs(&state, at(33)), 1);
    state.begin(at(0));
    assert_eq!(secs(&state, at(0)), 1);
    state.busy_since = None;
    state.next = at(10_000);
    assert_eq!(secs(&state, at(0)), 60);
}

#[test]
fn after_the_end_another_task_begins_soon() {
    let mut state = State::default();
    state.succeeded(held(START), true, Jitter(0));
    state.begin(at(4));
    state.ended(at(5));
    assert!(state.held.is_some() && !state.is_busy());
    assert_eq!(state.next, at(6));
    state.failures = 6;
    state.failed(error(), at(6), Jitter(u16::MAX));
    state.ended(at(7));
    assert_eq!(state.next, at(66), "no earlier than without the end");
}

#[test]
fn a_set_is_usable_until_the_stale_limit_after_it_was_fresh() {
    let mut state = State::default();
    assert_eq!(state.usable_for(&LIMITS, START), None);
    state.succeeded(held(at(7)), true, Jitter(0));
    state.failed(error(), at(500), Jitter(0));
    let left = state.usable_for(&LIMITS, at(7)).unwrap();
    assert_eq!(left.as_secs(), 300 + 3600);
}

#[test]
fn an_issuer_that_says_when_is_left_alone_until_then() {
    let busy = |asked| {
        let asked = Duration::from_secs(asked);
        JwksError::status_of(http::StatusCode::SERVICE_UNAVAILABLE, Some(asked))
    };
    for (asked, jitter, next, told) in [
        (0, u16::MAX, 1, 1),
        (120, 0, 120, 120),
        (120, u16::MAX, 135, 135),
        (300, u16::MAX, 300, 300),
    ] {
        let mut state = State::default();
        state.failed(busy(asked), at(0), Jitter(jitter));
        assert_eq!(state.next, at(next), "{asked}");
        assert_eq!(state.want(&LIMITS, at(next - 1)), Want::Unchanged);
        assert_eq!(state.retry_after(&LIMITS, at(0)).as_secs(), told);
    }
}

/// Nor does the address count for longer that the set came from.
#[test]
fn a_set_is_usable_no_longer_than_its_address() {
    let set = Held {
        named_until: Some(at(100)),
        ..held(at(50))
    };
    assert_eq!(LIMITS.usable_until(&set), at(100 + 3600));
    assert_eq!(LIMITS.usable_until(&held(at(50))), at(50 + 300 + 3600));
    assert!(!LIMITS.over_for(at(100), at(100 + 3599)) && LIMITS.over_for(at(100), at(100 + 3600)));
}
