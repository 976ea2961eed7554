use super::*;

const SEEN: &str = "\
aaa 127.0.0.1:7000@17000 master - 0 0 1 connected 0-5461\n\
bbb 127.0.0.1:7001@17001,host-b myself,master - 0 0 7 connected 5462-9000 9002 [9002->-aaa] [77-<-aaa]\n\
ccc 127.0.0.1:7002@17002 master,fail - 0 0 3 disconnected 9003-16383\n\
ddd 127.0.0.1:7003@17003 slave aaa 0 0 1 connected\n";

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

fn info(more: &str) -> Value {
    text(&format!("# Server\r\nrun_id:r1\r\n{more}"))
}

#[test]
fn a_master_is_read_by_its_own_line() {
    let shard = Shard::read(Some(9002), vec![info(""), text(SEEN)]).unwrap();
    assert_eq!(shard.run, "r1");
    assert_eq!(shard.epoch, 7);
    assert_eq!(shard.slots, [5462..=9000, 9002..=9002]);
    assert_eq!(shard.leaving, [9002]);
    // A slot of each that has some, and of no replica.
    assert_eq!(masters(text(SEEN)), Some(vec![0, 5462, 9003]));
    assert_eq!(masters(text("no node")), None);
}

#[test]
fn a_server_that_cannot_be_told_from_another_is_not_gone_through() {
    let unsupported = |replies| {
        let error = Shard::read(None, replies).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    };
    unsupported(vec![text("redis_version:7.0.15\r\n")]);
    unsupported(vec![info("cluster_enabled:1\r\n")]);
    unsupported(vec![info("redis_mode:cluster\r\n")]);
    let shard = Shard::read(None, vec![info("cluster_enabled:0\r\n")]).unwrap();
    assert_eq!((shard.run.as_str(), shard.slot), ("r1", None));
    let dragonfly = text("role:master\r\nmaster_replid:x1\r\n");
    assert_eq!(run(dragonfly).unwrap(), "x1");
}

#[test]
fn an_answer_of_another_server_is_none() {
    let is_wrong = |request: &Request<'_>, replies: &[Value]| {
        let fault = misdirected(request, replies);
        fault.is_some_and(|fault| !fault.is_unnamed() && fault.is_answer())
    };
    let identify = |slot| Request::Identify { slot };
    let scan = Request::Scan {
        slot: Some(9002),
        pattern: "*",
        cursor: b"0",
    };
    let page = Value::Array(vec![]);
    for role in ["role:slave", "role:replica"] {
        assert!(is_wrong(&identify(None), &[info(role)]), "{role}");
        assert!(is_wrong(&scan, &[page.clone(), info(role)]), "{role}");
    }
    let master = info("role:master");
    assert!(!is_wrong(&identify(None), std::slice::from_ref(&master)));
    assert!(!is_wrong(&scan, &[page, master.clone()]));
    let replies = [master, text(SEEN)];
    assert!(!is_wrong(&identify(Some(9002)), &replies));
    // It belongs to a node that is listed, and another one answers.
    assert!(is_wrong(&identify(Some(0)), &replies));
}

fn shard(run: &str, epoch: u64, slots: RangeInclusive<u16>, leaving: &[u16]) -> Shard {
    Shard {
        slot: Some(*slots.start()),
        run: run.to_owned(),
        epoch,
        slots: vec![slots],
        leaving: leaving.to_vec(),
    }
}

fn look(shards: impl IntoIterator<Item = Shard>) -> Look {
    let mut look = Look::new(true);
    shards.into_iter().for_each(|shard| look.add(shard));
    look
}

/// Two masters, of which the first has the lower half and `leaving` on the way.
fn halves(epoch: u64, leaving: &[u16]) -> Look {
    look([
        shard("a", epoch, 0..=8191, leaving),
        shard("b", 2, 8192..=16_383, &[]),
    ])
}

/// Whether all keys have been shown after these passes between these looks.
fn is_shown(looks: &[Look]) -> bool {
    let mut shown = Shown::new(&looks[0]);
    for pair in looks.windows(2) {
        shown.note(true, &pair[0], &pair[1]);
    }
    shown.is_complete()
}

#[test]
fn one_pass_shows_all_where_nothing_moves() {
    assert!(is_shown(&[halves(1, &[]), halves(1, &[])]));
    let mut shown = Shown::new(&halves(1, &[]));
    shown.note(false, &halves(1, &[]), &halves(1, &[]));
    assert!(!shown.is_complete(), "the pass was cut short");
}

#[test]
fn a_slot_on_its_way_needs_a_second_pass() {
    let moving = || halves(1, &[7]);
    assert!(!is_shown(&[moving(), moving()]));
    assert!(is_shown(&[moving(), moving(), moving()]));
    // It was not on its way at one of the looks: what has moved in between is not known.
    assert!(!is_shown(&[moving(), halves(1, &[]), moving()]));
    assert!(is_shown(&[moving(), halves(1, &[]), halves(1, &[])]));
}

#[test]
fn slots_that_moved_and_servers_that_began_anew_are_gone_through_again() {
    let moved = || {
        look([
            shard("a", 1, 0..=8190, &[]),
            shard("b", 3, 8191..=16_383, &[]),
        ])
    };
    assert!(!is_shown(&[halves(1, &[]), moved()]));
    assert!(is_shown(&[halves(1, &[]), moved(), moved()]));
    // There and back again, which the epoch tells.
    assert!(!is_shown(&[halves(1, &[]), halves(3, &[])]));
    let anew = || {
        look([
            shard("c", 1, 0..=8191, &[]),
            shard("b", 2, 8192..=16_383, &[]),
        ])
    };
    assert!(!is_shown(&[halves(1, &[]), anew()]));
    assert!(is_shown(&[halves(1, &[]), anew(), anew()]));
}

#[test]
fn a_slot_without_a_master_is_never_shown() {
    let half = || look([shard("a", 1, 0..=8191, &[])]);
    assert!(!is_shown(&[half(), half(), half()]));
}

#[test]
fn of_two_that_claim_a_slot_the_later_epoch_has_it() {
    for order in [[0, 1], [1, 0]] {
        let claims = [
            shard("a", 1, 0..=9000, &[]),
            shard("b", 2, 8192..=16_383, &[]),
        ];
        let look = look(order.map(|index| claims[index].clone()));
        assert_eq!(look.place(8500), Some(("b", 2, false)));
        assert_eq!(look.place(8000), Some(("a", 1, false)));
    }
}
