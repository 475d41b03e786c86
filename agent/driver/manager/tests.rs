//! Tests of the manager's thread and the thread of the control socket: neither of them waits for the other.

use std::sync::mpsc as channel;

use tokio::time::timeout;

use super::*;
use crate::view::Snapshot;

/// How long a test waits before it counts as stuck.
const PATIENCE: Duration = Duration::from_mins(1);

/// A network without hosts.
fn plan() -> Plan {
    Plan {
        hosts: Vec::new(),
        routes: crate::route::Routes::default(),
        policy: crate::route::policy::Policy::default(),
    }
}

/// A control socket whose behaviour is given by a test.
struct Socket<F>(NetworkName, F);

impl<F: AsyncFnOnce(Inside) + Send + 'static> ControlSocket for Socket<F> {
    fn name(&self) -> &NetworkName {
        &self.0
    }

    async fn serve(self, inside: Inside) {
        (self.1)(inside).await;
    }
}

/// Starts a manager with this control socket.
fn start(serve: impl AsyncFnOnce(Inside) + Send + 'static) -> Manager {
    let socket = Socket(NetworkName::near("test"), serve);
    Manager::start(&plan(), Some(socket)).unwrap().0
}

#[tokio::test]
async fn the_manager_works_while_the_control_socket_is_busy() {
    let ((say, heard), (go_on, busy)) = (channel::channel(), channel::channel::<()>());
    let manager = start(async move |_| {
        say.send(()).unwrap();
        // This blocks the thread, as a very large answer does while it is made.
        let _ = busy.recv();
    });
    heard.recv_timeout(PATIENCE).unwrap();
    let answer = timeout(PATIENCE, manager.handle().would_lose(plan())).await;
    assert_eq!(answer.unwrap(), Ok(false));
    manager.handle().tell(Intent::Down);
    drop(go_on);
    manager.join();
}

#[tokio::test]
async fn the_control_socket_works_while_the_manager_is_busy() {
    let ((say, heard), (begin, gate)) = (channel::channel(), channel::channel());
    let manager = start(async move |inside: Inside| {
        gate.recv_timeout(PATIENCE).unwrap();
        let mut snapshot = pin!(inside.snapshot());
        let is_early = tokio::select! {
            biased;
            _ = &mut snapshot => true,
            () = tokio::task::yield_now() => false,
        };
        say.send(is_early).unwrap();
        let (snapshot, _) = snapshot.await;
        say.send(snapshot.hosts.is_empty()).unwrap();
    });
    let ((wait, waits), (go_on, busy)) = (channel::channel(), channel::channel::<()>());
    let errand = manager.handle.errands.give(move |_| {
        wait.send(()).unwrap();
        busy.recv().is_err()
    });
    waits.recv_timeout(PATIENCE).unwrap();
    begin.send(()).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE), Ok(false));
    drop(go_on);
    assert_eq!(timeout(PATIENCE, errand).await.unwrap(), Ok(true));
    assert_eq!(heard.recv_timeout(PATIENCE), Ok(true));
    manager.handle().tell(Intent::Down);
    manager.join();
}

#[tokio::test]
async fn however_many_programs_ask_only_one_errand_is_on_its_way() {
    let (errands, mut inbox) = Errands::new();
    let snapshot = Snapshot {
        now_ms: 0,
        hosts: Vec::new(),
        held: None,
        unapplied: None,
    };
    let inside = Inside {
        errands,
        turn: Arc::default(),
        snapshots: watch::channel(Arc::new(snapshot)).1,
        journal: Arc::default(),
        reload: mpsc::unbounded_channel().0,
        over: watch::channel(false).1,
    };
    let mut programs = JoinSet::new();
    for _ in 0..100 {
        let inside = inside.clone();
        programs.spawn(async move { inside.flow_total().await });
    }
    for _ in 0..100 {
        let errand = timeout(PATIENCE, inbox.recv()).await.unwrap();
        assert!(inbox.is_empty());
        // The errand is dropped without an answer. The programs that still wait for their turn must not wait for that
        // answer.
        drop(errand);
    }
    tokio::task::yield_now().await;
    assert!(inbox.is_empty());
}

#[test]
fn all_tasks_have_their_turn_between_two_errands_and_a_panic_ends_only_its_own() {
    let manager = start(async |_| {});
    let errands = &manager.handle.errands;
    let (go_on, busy) = channel::channel::<()>();
    let (done, order) = channel::channel();
    let packet = done.clone();
    let first = errands.give(move |_| {
        let _ = busy.recv();
        tokio::spawn(async move { packet.send("a packet") });
    });
    let second = errands.give(move |_| done.send("an errand"));
    let broken = errands.give(|_| std::panic::resume_unwind(Box::new("a bug")));
    let last = errands.give(|_| ());
    drop(go_on);
    first.blocking_recv().unwrap();
    second.blocking_recv().unwrap().unwrap();
    let order: Vec<_> = order.iter().take(2).collect();
    assert_eq!(order, ["a packet", "an errand"]);
    broken.blocking_recv().unwrap_err();
    last.blocking_recv().unwrap();
    manager.handle().tell(Intent::Down);
    manager.join();
}

#[test]
fn a_network_that_nobody_can_reach_any_more_ends() {
    let (say, heard) = channel::channel();
    let manager = start(async move |inside: Inside| {
        let mut over = inside.over();
        say.send(over.wait_for(|over| *over).await.is_ok()).unwrap();
        // The manager still answers until the thread of the control socket has ended.
        say.send(inside.flow_total().await == 0).unwrap();
    });
    drop(manager);
    assert_eq!(heard.recv_timeout(PATIENCE), Ok(true));
    assert_eq!(heard.recv_timeout(PATIENCE), Ok(true));
}
