//! Kills around a payment without a channel: one sale, one charge, and the answer.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use motif_gateway::store::{Failpoint, Failpoints};
use motif_sdk::gateway::wire::x402;
use tempfile::TempDir;

use crate::{
    shop::{Shop, failing, picture, receipt, settlement},
    world::{Buyer, Network, ScriptedChain, World, on_a_server, on_postgres_too},
};

/// Failpoint hook that copies the files of a gateway at a point, as a kill there leaves them, and cuts
/// the gateway off from the cluster.
pub struct KilledAt {
    point: Failpoint,
    chain: Arc<ScriptedChain>,
    store: PathBuf,
    answers: PathBuf,
    left: Mutex<Option<(TempDir, TempDir)>>,
}

impl KilledAt {
    pub fn new(point: Failpoint, world: &World) -> Arc<Self> {
        let answers = world.config.paywall.as_ref().unwrap().paywall.spool.clone();
        let store = world.store().parent().unwrap().to_owned();
        let (chain, left) = (world.chain.clone(), Mutex::default());
        Arc::new(Self { point, chain, store, answers, left })
    }

    /// Returns the folders of the store and of the answers as the kill left them.
    pub fn left(&self) -> (TempDir, TempDir) {
        self.left.lock().unwrap().take().unwrap()
    }
}

impl Failpoints for KilledAt {
    fn hit(&self, failpoint: Failpoint) {
        let mut left = self.left.lock().unwrap();
        if failpoint == self.point && left.is_none() {
            *left = Some((copy(&self.store), copy(&self.answers)));
            self.chain.network(Network::Down);
        }
    }
}

fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}

/// Failpoint hook that stops the thread which reaches a point, for good.
struct HaltedAt {
    point: Failpoint,
    is_reached: AtomicBool,
}

impl HaltedAt {
    fn new(point: Failpoint) -> Arc<Self> {
        Arc::new(Self { point, is_reached: AtomicBool::new(false) })
    }

    async fn wait(&self) {
        for _ in 0..400 {
            if self.is_reached.load(Ordering::SeqCst) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{:?} was not reached", self.point);
    }
}

impl Failpoints for HaltedAt {
    fn hit(&self, failpoint: Failpoint) {
        if failpoint == self.point && !self.is_reached.swap(true, Ordering::SeqCst) {
            loop {
                std::thread::park();
            }
        }
    }
}

/// Buys an answer of each path from a gateway on PostgreSQL that is killed at this point, and again from
/// the next one with the same payment.
fn assert_one_sale_on_postgres(point: Failpoint) {
    if !on_a_server() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for path in ["/pictures", "/images"] {
            let Shop { sold } = Shop::new().await;
            let halted = HaltedAt::new(point);
            let sold = sold.with_world(async |world| world.watched(halted.clone()).await).await;
            let shop = Shop { sold };
            shop.offer().await;
            let payment = Buyer::new(41).pay(&shop.offer_of(path, &picture()).await, 1);
            let header = x402::to_header(&payment);
            let sent = shop.request(path, &picture()).header(x402::PAYMENT_HEADER, header);
            let paying = tokio::spawn(async move { drop(sent.send().await) });
            halted.wait().await;
            paying.abort();
            // The halted thread keeps its folder locked.
            let spool =
                |world: &World| world.config.paywall.as_ref().unwrap().paywall.spool.clone();
            let answers = copy(&spool(&shop.sold.world));
            let restarted = shop.sold.with_world(async |mut world| {
                let paywall = world.config.paywall.as_mut().unwrap();
                paywall.paywall.spool = answers.path().to_owned();
                world.restarted(false).await
            });
            let shop = Shop { sold: restarted.await };
            assert_answered_once(&shop, path, &payment).await;
        }
    });
}

/// Pays again at a gateway that was started after a kill: the answer is there, and charged once.
async fn assert_answered_once(shop: &Shop, path: &str, payment: &x402::Payment) {
    shop.offer().await;
    let mut answer = shop.pay(path, &picture(), payment).await;
    if answer.status == 503 {
        answer = shop.pay(path, &picture(), payment).await;
    }
    answer.assert_ok();
    assert!(settlement(&answer).success, "{path}");
    assert_eq!(shop.payments().len(), 1, "{path}");
    let again = shop.pay(path, &picture(), payment).await;
    assert_eq!((&again.body, receipt(&again)), (&answer.body, receipt(&answer)), "{path}");
    assert_eq!(shop.payments().len(), 1, "{path}");
}

/// Buys an answer of each path from a gateway that is killed at this point, and again from the next one
/// with the same payment.
async fn assert_one_sale(point: Failpoint) {
    for path in ["/pictures", "/images"] {
        assert_one_sale_of(path, point).await;
    }
}

async fn assert_one_sale_of(path: &str, point: Failpoint) {
    let Shop { sold } = Shop::new().await;
    let killed = KilledAt::new(point, &sold.world);
    let sold = sold.with_world(async |world| world.watched(killed.clone()).await).await;
    let shop = Shop { sold };
    shop.offer().await;
    let payment = Buyer::new(41).pay(&shop.offer_of(path, &picture()).await, 1);
    drop(shop.pay(path, &picture(), &payment).await);
    let (store, answers) = killed.left();
    let sold = shop.sold.with_world(async |mut world| {
        let paywall = world.config.paywall.as_mut().unwrap();
        paywall.paywall.spool = answers.path().to_owned();
        world.restarted_on(store).await
    });
    let shop = Shop { sold: sold.await };
    assert_answered_once(&shop, path, &payment).await;
    if path == "/pictures" {
        assert_eq!(shop.sold.server.asked(), 1, "the first process made it before it was paid");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_before_store_is_one_sale() {
    assert_one_sale(Failpoint::Signed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_before_send_is_one_sale() {
    assert_one_sale(Failpoint::Stored).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_after_send_is_one_sale() {
    assert_one_sale(Failpoint::Sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_after_landing_is_one_sale() {
    assert_one_sale(Failpoint::Landed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_before_hand_over_is_one_sale() {
    assert_one_sale(Failpoint::Recorded).await;
}

#[tokio::test]
async fn kill_while_answer_is_made_is_one_sale() {
    let shop = Shop::new().await;
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &failing("held")).await, 1);
    let request = shop.request("/pictures", &failing("held"));
    let header = x402::to_header(&payment);
    let sent = request.header(x402::PAYMENT_HEADER, header);
    let paying = tokio::spawn(async move { drop(sent.send().await) });
    shop.sold.server.wait_for_asked(1).await;
    paying.abort();
    shop.sold.server.release();
    let shop = shop.restarted().await;
    shop.sold.server.release();
    shop.pay("/pictures", &failing("held"), &payment).await.assert_ok();
    assert_eq!(shop.payments().len(), 1);
}

#[test]
fn kill_on_postgres_while_paid_answer_is_made() {
    if on_a_server() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(assert_made_after_kill());
    }
}

/// Kills a gateway that has been paid and waits for its model server. The next one makes the answer.
async fn assert_made_after_kill() {
    let shop = Shop::new().await;
    let payment = Buyer::new(41).pay(&shop.offer_of("/images", &failing("held")).await, 1);
    let request = shop.request("/images", &failing("held"));
    let sent = request.header(x402::PAYMENT_HEADER, x402::to_header(&payment));
    let paying = tokio::spawn(async move { drop(sent.send().await) });
    shop.sold.server.wait_for_asked(1).await;
    assert_eq!(shop.payments().len(), 1, "paid before it is made");
    paying.abort();
    let shop = shop.restarted().await;
    shop.sold.server.release(); // the first request, which has been given up
    shop.sold.server.release();
    shop.pay("/images", &failing("held"), &payment).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 2));
}

#[test]
fn kill_on_postgres_before_store_is_one_sale() {
    assert_one_sale_on_postgres(Failpoint::Signed);
}

#[test]
fn kill_on_postgres_before_send_is_one_sale() {
    assert_one_sale_on_postgres(Failpoint::Stored);
}

#[test]
fn kill_on_postgres_after_send_is_one_sale() {
    assert_one_sale_on_postgres(Failpoint::Sent);
}

#[test]
fn kill_on_postgres_after_landing_is_one_sale() {
    assert_one_sale_on_postgres(Failpoint::Landed);
}

#[test]
fn kill_on_postgres_before_hand_over_is_one_sale() {
    assert_one_sale_on_postgres(Failpoint::Recorded);
}

#[tokio::test]
async fn sent_payment_is_followed_after_restart() {
    for network in [Network::Losing, Network::Silent, Network::Deaf] {
        let shop = Shop::new().await;
        let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &picture()).await, 1);
        shop.sold.world.chain.network(network);
        let unknown = shop.pay("/pictures", &picture(), &payment).await;
        unknown.assert_problem(503, "payment-unsettled");
        let shop = shop.restarted().await;
        shop.sold.world.chain.network(Network::Up);
        let mut answer = shop.pay("/pictures", &picture(), &payment).await;
        if answer.status == 503 {
            answer = shop.pay("/pictures", &picture(), &payment).await;
        }
        answer.assert_ok();
        assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1), "{network:?}");
    }
}

on_postgres_too! {
    sent_payment_is_followed_after_restart,
}
