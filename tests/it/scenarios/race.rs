//! Fifty threads, one token.

use std::sync::{Arc, Barrier};

use crate::support::world::{Reply, World};

/// 50 refreshes of one token at once: one rotation, one successor, 50 successes. 200 times.
#[test]
fn fifty_threads_with_one_token_give_one_rotation_and_one_successor() {
    const THREADS: usize = 50;
    const ROUNDS: usize = 200;

    let runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 0..ROUNDS {
        let world = World::new();
        let browser = runtime.block_on(world.signed_in("ada"));
        let barrier = Arc::new(Barrier::new(THREADS));
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (world, browser) = (world.clone(), browser.clone());
                    let (barrier, runtime) = (barrier.clone(), runtime.handle().clone());
                    scope.spawn(move || {
                        barrier.wait();
                        runtime.block_on(browser.refresh_lost(&world))
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });

        assert!(
            replies.iter().all(|reply| reply.status == 200),
            "round {round}"
        );
        let record = runtime.block_on(world.store.last());
        assert_eq!(record.generation(), 1, "round {round}: one rotation");
        assert_eq!(world.count("ReuseDetected"), 0);

        // One distinct successor: every cookie handed out is the current token of the store, so
        // presenting it coalesces.
        let mut successors = 0;
        for reply in &replies {
            let mut tab = browser.clone();
            tab.keep(reply);
            assert_ne!(
                tab.cookie, browser.cookie,
                "each tab was handed a successor"
            );
            let again = runtime.block_on(tab.refresh(&world));
            assert_eq!(again.status, 200);
            assert!(again.set_cookie().is_none());
            successors += 1;
        }
        assert_eq!(successors, THREADS);
        assert_eq!(
            world.outcomes("coalesced"),
            THREADS,
            "round {round}: one successor"
        );
        assert_eq!(runtime.block_on(world.store.last()).generation(), 1);
    }
}
