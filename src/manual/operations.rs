//! Running the service with Redis or Valkey: what to choose, what each failure costs, what to do. What to check before
//! the first user, what to watch and what to do at night is in [`runbooks`](super::runbooks).
//!
//! With [`RedisStore`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisStore.html) (feature
//! `redis`; `redis-cluster` for Cluster) all instances of a service share their sessions, and a restart
//! signs no user out.
//!
//! # What it needs
//!
//! * Redis 7.0 or later, or Valkey. Redis 6.2 and several relatives do as well, with a loss: see
//!   [below](#relatives). (The tests run against Redis 7.0.)
//! * One server, a master with replicas under Sentinel, or Cluster. Replicas are never read from: one that
//!   lags presents a token that was just replaced as the current one.
//! * An account that may run these commands and see these keys, and no more:
//!
//! ```text
//! ACL SETUSER app on >PASSWORD resetkeys ~tower-bearer:* -@all
//!     +evalsha +eval +hget +hscan +hlen +hset +hdel +pexpireat +time
//!     +pttl +pexpire   # for servers older than 7.0, and relatives
//!     +scan +info      # to end every session of every subject; health() sees more with INFO
//!     +wait     # for wait_for_replicas
//!     +role     # under Sentinel
//!     +cluster|slots +cluster|nodes +asking   # in a cluster
//! ```
//!
//! `SCAN` shows this account the names of all keys of the database, whatever the pattern says. Ending every session
//! takes `SCAN`, `INFO` and, in a cluster, `CLUSTER NODES`. An account without them is refused that, and nothing else;
//! `health()` warns of it.
//!
//! TLS is spoken where the URL begins with `rediss://`, by rustls, with the certificates that the system
//! trusts or with `root_certificates`. A reader of the connection learns subjects and labels, and one
//! who can write to it decides which users are signed in: use TLS or a network of your own.
//!
//! # Relatives
//!
//! The scripts use three things that came with Redis 5 and 7.0: the time within a script, `PEXPIREAT … GT`, and
//! script flags. A server that refuses one of them is asked in a plainer wording from then on. The store learns
//! that for each connection from the server's first refusal, and asks in full again when the server has
//! forgotten its scripts, when it refuses a revocation for want of memory, and over each new connection. Sign-in,
//! rotation and revocation work then as everywhere, and a time after a conflict costs a second request. The loss
//! is the flag: **a server whose memory is full may refuse to revoke**. `health()` tries every script and
//! [warns](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisHealth.html#method.warnings).
//!
//! | server | how far it was tried |
//! |---|---|
//! | Redis 7.0.15 | run: all tests, at each change |
//! | Redis 8.2.3 | run by hand: the conformance suite on one server, Sentinel and Cluster, and the tests of faults, a full server, replicas and sign-ins |
//! | Redis 6.2.14 | run by hand: the conformance suite on one server, and the tests of faults and sign-ins; plain wording |
//! | KeyDB 6.3 | emulated: a proxy gives the answers of Redis 6.2. Its source has the same parser, no flags and no `GT` (`src/server.cpp`, `src/scripting.cpp`, April 2024) |
//! | Dragonfly | emulated: a proxy refuses the flag as its source does (`src/server/script_mgr.cc`: before 1.22 "Invalid flag", since then an error of Lua; `src/server/generic_family.cc` has `GT`) |
//! | Valkey | read about only: it began as Redis 7.2 and has the same flags |
//! | Amazon ElastiCache | read about only: its guide offers Valkey, and Redis 7 and older. Versions before 7 get the plain wording |
//! | Azure Cache for Redis | read about only: its guide says that all instances are version 6, so they get the plain wording |
//! | Google Memorystore | read about only: its guide says that the cluster offer is based on Redis 7 and has a part of its commands |
//! | Upstash | read about only: its guide has script flags of its own, and does not say what others do |
//!
//! For what is emulated or read about, run `health()` and the [conformance suite](super::stores) against your
//! server before you rely on it.
//!
//! # Layout of the keys
//!
//! One hash a subject, named `{prefix}s:{subject tag}` (default prefix `tower-bearer:`), with one field a session,
//! named by the session id as events and logs write it. The value is the record, 240 bytes and the subject, label,
//! context and [tagged fields](super::rotation#the-record); its layout stands in the source of `record_codec.rs`. The
//! subject tag is a keyed hash: without the server's secret no name leads to a key, and no key to a name. (The record
//! itself holds the subject in clear.)
//!
//! The hash expires with the last of its sessions. Expired and surplus ended sessions inside of it go with
//! the next sign-in that finds as many sessions as the limit, and with every 512th session. Nothing
//! else is stored, and nothing has to be cleaned up.
//!
//! To look at a user's sessions: `HKEYS` of the hash, whose tag events do not tell but the session list
//! of the application does. Do not edit records by hand: bytes that are no record are an error that
//! touches nothing. Requests for that session, lists, sign-outs everywhere and sign-ins at the limit are answered
//! 503 until they are gone. To end all
//! sessions of a subject from outside, delete the hash: its tokens are then unknown, not stolen.
//!
//! # Ending every session
//!
//! After keys have leaked, [`SessionAdmin::end_everybody`](crate::SessionAdmin::end_everybody) ends the sessions of every
//! subject; [the runbook](super::runbooks#ending-every-session-on-purpose) has the steps. The store goes through the keys
//! of its prefix by `SCAN`, a thousand at a time. It revokes subject by subject,
//! as a sign-out everywhere does, and other requests go on meanwhile. No command takes a server long, and each has the
//! time-outs of any request. A key of the prefix that holds no subject's sessions is left alone.
//!
//! * **It is complete, or an error.** Each page of names says which run of which server it is from. A server that starts
//!   anew has its keys in another order, and so has a replica that takes over: all is gone through again. It is an error
//!   where a server does not answer or a record cannot be read. The other sessions end all the same; call again.
//! * **It outlives a failover** where it was asked for. A replica that takes over without the last writes shows sessions as
//!   live. The instance that was asked remembers the time by which they had begun. It refuses them, and revokes them
//!   again. Another instance knows nothing of it, so call it again after a failover.
//! * **In a cluster** each master says before and after which slots are its own, and which of them are on their way.
//!   Slots that moved meanwhile are gone through again. While slots move without a pause, the answer may be an error.
//! * **With `wait_for_replicas`** the replicas are asked once a page, and not once a session.
//! * **Over a connection of the application's** it is for one server. Over a connection to a cluster, or to one node of
//!   it, the answer is [`Unsupported`](crate::store::StoreErrorKind::Unsupported), and no session ends: pages would come
//!   from any node. Use `RedisStore::cluster` there.
//!
//! # Sizing
//!
//! | what | figure |
//! |---|---|
//! | memory for a subject with one session of 330 bytes | 693 bytes (Redis 7.0, 200 000 such hashes) |
//! | the same with `hash-max-listpack-value 512` | 532 bytes |
//! | refresh | one read (`HGET` and `TIME`) and, where the token rotates, one script of two or three calls |
//! | sign-in | one read and a script, while the subject has fewer sessions than the limit, those that are over and not yet removed included; else another read and a second script |
//! | sign-in, 10 000 sessions of the subject | 0.2 ms below the limit, 23 ms at it (where the least recently used one has to be found); loads of others wait 0.3 ms and 2.2 ms, 99 of 100 of them, and 3.8 ms at most (bench `store_redis sign_ins`, two cores) |
//! | many sign-ins of one subject at once | they share the second read and script: 256 at once take about four of each |
//! | sign-out | one read and a script; a sign-out everywhere the same, up to 512 sessions of the subject |
//! | sign-out everywhere, more than 512 sessions | all are read in pages, revoked by scripts of 128, and read again until none is left |
//! | the end of every session | a page of names for every thousand keys; for each subject one read and a script, 16 subjects at a time |
//!
//! A page that is open refreshes once in an access token's life, and a rotation comes at most once a
//! minute. A million people who are signed in at the same moment, each with an access token of 15 minutes,
//! make about 1 100 refreshes a second. The bench `store_redis` shows on your machine what a server can do:
//! a core does some tens of thousands of refreshes a second. One server is enough for most; Cluster is for
//! those who have it anyway.
//!
//! # Settings of the server
//!
//! | setting | choose | why |
//! |---|---|---|
//! | `maxmemory-policy` | `noeviction` | Any other policy throws sessions away when memory is short: people are signed out, and a session that was revoked for theft is forgotten with them. [`health`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisStore.html#method.health) warns, and sends [`StoreEvicts`](crate::Event::StoreEvicts). |
//! | `maxmemory` | twice what the sizing says | At the limit new sign-ins and rotations are answered 503. Sign-out, revocation and the answer to theft go through: they take no room. |
//! | `appendonly` | `yes` | Without persistence a restart signs all users out. |
//! | `appendfsync` | `everysec` | A crash of the machine loses a second of writes, which is what a failover loses too, and heals as that does. `always` costs a disk flush for each rotation and buys little. |
//! | `stop-writes-on-bgsave-error` | `yes`, the default | A server that cannot keep what it promises says so: 503, and nothing is lost. |
//! | replicas | 1 or 2, with Sentinel or Cluster | Replication is asynchronous: a failover may lose the last writes. The protocol is made for that. |
//! | `min-replicas-to-write` | leave it off | It turns the loss of a replica into an outage. |
//! | `timeout` | 0, the default | Idle connections that the server closes cost a reconnection each. |
//! | Cluster: `cluster-require-full-coverage` | `no` | One shard without a master is then an outage for its subjects and not for all. |
//!
//! # What each failure costs
//!
//! | what happens | what users see |
//! |---|---|
//! | a connection breaks, the server restarts with its data | 200: the request is sent again. A script that ran before the reply was lost finds its own work. |
//! | the server does not answer | 503 with `Retry-After`, and the cookie is kept. The first request waits for its time-out (500 ms, 1 s where no connection can be had); for the pause after it (500 ms) all others fail at once, and then one goes first. Events [`StoreUnreachable`](crate::Event::StoreUnreachable) and [`StoreRecovered`](crate::Event::StoreRecovered). |
//! | API requests meanwhile | nothing: access tokens are verified without the store, until they expire |
//! | sign-out meanwhile | the cookie is cleared, the revocation is tried again for four minutes ([`RevocationQueued`](crate::Event::RevocationQueued), [`RevocationLost`](crate::Event::RevocationLost)). Of all of a user's sessions the later tries end those that began before the call: a user who signs in again stays signed in. A process that ends meanwhile calls [`drain`](crate::RefreshCookieLayer::drain) first |
//! | `LOADING`, `MASTERDOWN`, `CLUSTERDOWN`, `TRYAGAIN`, `READONLY`, `BUSY`, `NOREPLICAS`, too many clients | a second and a third try within a tenth of a second, under Sentinel with the master that the sentinels name by then; after that 503 |
//! | a slot moves (`MOVED`, `ASK`) | 200 |
//! | scripts are forgotten (`SCRIPT FLUSH`, restart, failover) | 200: the text is sent once |
//! | failover that loses the last rotation | 200, whichever token comes first; [`Adopted`](crate::Event::WriteRestored) |
//! | failover that loses more than one write of a session | that user signs in again; no alarm ([`StateLost`](crate::Event::StateLost)) |
//! | failover that loses a revocation | the instance that made it remembers it, with the client that ended the session and when; it refuses the session, and revokes it again ([`RevocationRestored`](crate::Event::RevocationRestored)). Other instances honour it until then: see [below](#revocations-and-failovers). |
//! | the data set is lost | all users sign in again: 401 `invalid_session`, cookies kept, so that they work again after a restore |
//! | memory or disk full | sign-in and rotation 503; nothing is lost |
//! | the server's clock steps back | sessions live longer by as much; no session is judged by it |
//! | the server's clock steps forward | sessions end earlier by as much. A jump of more than half the grace between two requests of a session can look like theft |
//! | one shard of a cluster is down | as above for its subjects, until its replica has taken over. While other shards answer, the cluster is not taken for dead: each request to that shard waits for its own time-out, and once in a while one looks for the nodes anew. |
//! | the operator makes a master a replica by hand | reads go on until a write says `READONLY`: close its clients (`CLIENT KILL TYPE normal`), as Sentinel does |
//!
//! What a server refuses for good (a wrong password, a right that the account lacks, a full disk) is
//! answered 503 too, and [`StoreFailed`](crate::Event::StoreFailed) says what the server said. `health()` at
//! the start finds most of it.
//!
//! Judge an outage by [`StoreUnreachable`](crate::Event::StoreUnreachable), not by 503s alone: 503 also comes from
//! claims that are not available.
//!
//! # Revocations and failovers
//!
//! A master acknowledges before its replicas have the write. If it dies in that moment, a session that was
//! revoked is live again on its successor. Two settings are about this:
//!
//! * Each instance remembers the revocations that it wrote, 65 536 by default
//!   (`remembered_revocations`), until it is restarted. It does not honour such a session, whatever the
//!   store says, and revokes it again at the first sight of it.
//! * With `wait_for_replicas(n, at_most)` a revocation is written and then waits until `n` replicas have it
//!   (`WAIT`, on a connection of its own). When they do not confirm in time, it stands and
//!   [`DurabilityDegraded`](crate::Event::DurabilityDegraded) tells: then, and only then, a failover in the
//!   next moment could lose it. Waiting takes a round trip to the replicas for each sign-out, and nothing
//!   for refreshes. Set it where you have replicas, with about 100 ms.
//!
//! Rotations are not waited for: losing one is healed by the protocol.
//!
//! # Backup and restore
//!
//! A backup is worth little: after a day most rotations in it are history. Tokens newer than the backup by
//! one rotation are adopted; those that are further ahead mean signing in again, without an alarm. Older
//! tokens than those in the backup are gone. **Sessions that were revoked after the backup are live again
//! in it.** After a restore from anything older than seconds, revoke what the log of
//! [`Revoked`](crate::Event::Revoked) events names since then, or begin with an empty data set: people sign
//! in again, and no session comes back that was taken away.
//!
//! A dump opens no session: it holds hashes, and seeds that are worth nothing without the server's keys.
//! It does hold subjects and labels, so it is personal data.
//!
//! # Moving to another server
//!
//! Make the new server a replica of the old one, stop the instances, promote it, start the instances with
//! the new URL. Or leave the instances running and let Sentinel do it. Two servers that both take writes
//! for one service are two truths: do not run instances against the old and the new one side by side.
//!
//! # Rolling change of keys
//!
//! Keys live with the instances and not in Redis. Change them in
//! [two steps](super::keys#replacing-a-key-two-steps-and-a-wait); sessions and records stay as they are. While two refresh
//! secrets are in use, a subject has two tags and so up to two hashes; lists and sign-outs look into both.
//!
//! # Upgrade of the record version
//!
//! The first byte of a record is the version of its layout. Version 2 is written, and version 1, which no release has
//! written, is read as well. A record of a version that an instance does not know is an error that touches nothing: its
//! subject gets 503 from that instance, and is served by the others. So is a record with a tagged field below 128 that
//! the instance lacks; other unknown fields are kept as they are. So a release with a new version comes in two steps,
//! like a key: it reads both versions and writes the old one; only when every instance runs it is the new one written.
//! The change log will say so where it happens. Downgrade in the opposite order.
//!
//! Since a record is compared by its bytes, an instance that reads an old version compares with the old
//! bytes too. That is part of such a release and nothing to do by hand.
//!
//! # Processes that fork
//!
//! Workers that are forked from one process share its keys and may mint at once: random bytes come from the operating
//! system each time, so that no two of them draw the same IV or `jti`. Build everything else in each worker. A tokio
//! runtime does not survive a fork, and neither do a [`RemoteJwks`](super::remote_keys)' task and a store's connections;
//! and a [`MemoryStore`](super::stores) becomes one for each worker, which do not know each other's sessions.
//!
//! # Ending a process
//!
//! A sign-out that found the store away waits in the process, and one whose client has hung up may be under way. Finish
//! the requests first, then wait for the revocations, then let the runtime end:
//!
//! ```no_run
//! # #[cfg(feature = "axum")] {
//! use std::{io, time::Duration};
//!
//! use tower_bearer::RefreshCookieLayer;
//!
//! async fn serve(
//!     listener: tokio::net::TcpListener,
//!     app: axum::Router,
//!     sessions: RefreshCookieLayer,
//!     stop: impl Future<Output = ()> + Send + 'static,
//! ) -> io::Result<()> {
//!     axum::serve(listener, app).with_graceful_shutdown(stop).await?;
//!     let left = sessions.drain(Duration::from_secs(10)).await;
//!     if left > 0 {
//!         eprintln!("{left} revocations could not be written");
//!     }
//!     Ok(())
//! }
//! # let _ = |listener, app, sessions| serve(listener, app, sessions, std::future::ready(()));
//! # }
//! ```
//!
//! With [`Auth`](crate::Auth) the layer is [`Auth::sessions`](crate::Auth::sessions). When the runtime ends,
//! [`RevocationLost`](crate::Event::RevocationLost) tells of each revocation that is left. A process that is killed tells
//! nothing.
//!
//! # Settings of the store
//!
//! | setting | default | why |
//! |---|---|---|
//! | `prefix` | `tower-bearer:` | Says whose keys they are. Services that share a server and not their users have different ones. |
//! | `connect_timeout` | 1 s | A handshake with TLS over a region's network takes a tenth of that. Several connections come one after the other in a cluster (three times as long in all) and under Sentinel (twice, and a second and a half for the sentinels). |
//! | TCP | keep-alive after 30 s, given up after 5 s without an acknowledgement (Linux) | A firewall does not forget the connection, and a machine that is gone is noticed in seconds and not in a quarter of an hour. |
//! | `response_timeout` | 500 ms | A thousand times what a script takes; a person waits for half a second without a thought. It is also how long a request waits for its turn. |
//! | `concurrency` | 512 | For each runtime. More than one connection needs to be busy; beyond it a queue in the server would only be a longer one. |
//! | `pause` | 500 ms | Half of what `Retry-After` tells clients, so that who comes back finds a verdict that is not older than that. |
//! | `wait_for_replicas` | off | It needs replicas. |
//! | `remembered_revocations` | 65 536 | Some megabytes, and more sign-outs than an instance sees between a write and the failover that loses it. |
//! | `username`, `password`, `database` | those of the URL | For URLs that are logged, and for Sentinel and Cluster, where the URL is that of a sentinel or of a node. |
//! | `root_certificates`, `client_certificate` | whom the system trusts; none | For a private authority, and for servers that ask for a certificate. |
//! | `events` | none are sent | [What to watch](super::runbooks#what-to-watch). |
//!
//! # Choices, and why
//!
//! * **The `redis` crate in version 1.8**, because version 2 was a release candidate when this was written,
//!   and the storage of all sessions is no place for one. It speaks RESP2 and RESP3, TLS by rustls,
//!   Sentinel and Cluster, and many requests share one connection.
//! * **A connection of our own around it.** Its connection manager knows nothing of Sentinel and keeps a
//!   connection on which nothing comes back any more, as behind a firewall that has forgotten it. Here a
//!   connection that was silent for a time-out is replaced.
//! * **A breaker of our own**, eighty lines. Those of existing crates count failures in a window: with a
//!   threshold of one, a single lost reply among a thousand good ones stops every request; with a higher one,
//!   a dead server costs several time-outs. What is asked here is whether anything has come back since
//!   this request was sent.
//! * **Policy stays out of the scripts.** They compare and replace. What is about all sessions of a subject
//!   (the limit at sign-in, signing out everywhere) is decided by the same functions as in memory, and
//!   written back if nothing has changed since it was read; otherwise it is decided again. So no script
//!   knows the layout of a record, and a new layout needs no new script.
//! * **A subject with more than 512 sessions is read in pages**, and a sign-in compares only the sessions that it
//!   ends, one that it does not, and the number of all. To compare ten thousand keeps a server from everything else
//!   for 20 to 40 ms. The price: where a sign-out and a sign-in at the limit meet, one session more may go. A sign-out
//!   everywhere compares and ends 128 sessions by one script: a refresh in between costs one part and not all. It
//!   reads all again until none is left, so a session that was there when it began is ended when it returns.
//! * **One connection for each runtime.** A task of the runtime that opened a connection reads from it, and that
//!   runtime may stand still: in tests each has its own. Each has its own breaker and its own turns as well.
//! * **A privilege change is tried a second time after a second.** The token is derived, so a later call with the same
//!   cookie finds it again; the second try spares the user that call. A store that was just silent is left alone for
//!   half a second, so the second try comes after that.
//! * **Revocations may exceed `maxmemory`.** They run in scripts with the flag `allow-oom`, where the server has
//!   flags, since they make no record larger, and a full server is no reason to let a thief in.
//! * **The memory of revocations lasts as long as the process**, bounded by number, and not for one access
//!   token's life: a failover may lose a write long before the token that it was about comes again.
