//! Kills around a payment without a channel: one sale, one charge, and the answer.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use motif_gateway::store::{Failpoint, Failpoints};
use motif_sdk::gateway::wire::x402;
use tempfile::TempDir;

use crate::{
    shop::{Shop, failing, picture, settlement},
    world::{Buyer, Network, ScriptedChain, World, on_postgres_too},
};

/// Failpoint hook that copies the files of a gateway at a point, as a kill there leaves them, and cuts
/// the gateway off from the cluster.
struct KilledAt {
    point: Failpoint,
    chain: Arc<ScriptedChain>,
    store: PathBuf,
    answers: PathBuf,
    left: Mutex<Option<(TempDir, TempDir)>>,
}

impl KilledAt {
    fn new(point: Failpoint, world: &World) -> Arc<Self> {
        let answers = world.config.paywall.as_ref().unwrap().paywall.spool.clone();
        let store = world.store().parent().unwrap().to_owned();
        let (chain, left) = (world.chain.clone(), Mutex::default());
        Arc::new(Self { point, chain, store, answers, left })
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

/// Buys a picture from a gateway that is killed at this point, and again from the next one with the
/// same payment.
async fn assert_one_sale(point: Failpoint) {
    let Shop { sold } = Shop::new().await;
    let killed = KilledAt::new(point, &sold.world);
    let sold = sold.with_world(async |world| world.watched(killed.clone()).await).await;
    let shop = Shop { sold };
    shop.offer().await;
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &picture()).await, 1);
    drop(shop.pay("/pictures", &picture(), &payment).await);
    let (store, answers) = killed.left.lock().unwrap().take().unwrap();
    let sold = shop.sold.with_world(async |mut world| {
        let paywall = world.config.paywall.as_mut().unwrap();
        paywall.paywall.spool = answers.path().to_owned();
        world.restarted_on(store).await
    });
    let shop = Shop { sold: sold.await };
    shop.offer().await;
    let mut answer = shop.pay("/pictures", &picture(), &payment).await;
    if answer.status == 503 {
        answer = shop.pay("/pictures", &picture(), &payment).await;
    }
    answer.assert_ok();
    assert!(settlement(&answer).success, "{point:?}");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1), "{point:?}");
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
