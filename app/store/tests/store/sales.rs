//! Payments to tills.

use motif_store::{Change, SaleEvent, StoredSale};
use motif_wire::sale::SaleState;

use crate::world::open;

/// Returns a payment of this number that is about to be sent.
pub fn sale(number: u8) -> StoredSale {
    StoredSale {
        payment: [number; 32],
        wallet: [2; 32],
        request_digest: [3; 32],
        name: "order-0123456789".to_owned(),
        acceptance: Some([4; 272]),
        parts: 50,
        operator_parts: 1,
        answer: [number; 32],
        holder: "http://127.0.0.1:9".to_owned(),
        signature: [number; 64],
        bytes: vec![1, 2, 3],
        last_valid_height: 1_000,
        state: SaleState::Sent,
        sent_at: 100 + i64::from(number),
        ended_at: None,
        output_digest: None,
        delivered_at: None,
        refused_at: None,
        seller: None,
        told_call: None,
    }
}

#[tokio::test]
async fn sale_outlives_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = open(&file).await;
    store.writer().write(Change::SaleSent(Box::new(sale(1)))).await.unwrap();
    store.writer().write(Change::SaleSent(Box::new(sale(2)))).await.unwrap();
    store.close().await;
    drop(store); // it has the lock
    let store = open(&file).await;
    assert_eq!(store.sales().pending().await.unwrap(), [sale(1), sale(2)]);
    let ended = SaleEvent::Ended { state: SaleState::Landed, at: 200 };
    store.writer().write(Change::Sale { payment: [1; 32], event: ended }).await.unwrap();
    let (output_digest, request_digest) = ([9; 32], [3; 32]);
    let made = SaleEvent::Made { output_digest, request_digest, name: sale(1).name };
    store.writer().write(Change::Sale { payment: [1; 32], event: made }).await.unwrap();
    let found = store.sales().find(&[1; 32]).await.unwrap().unwrap();
    assert_eq!((found.state, found.ended_at, found.bytes.len()), (SaleState::Landed, Some(200), 0));
    assert_eq!((found.output_digest, found.delivered_at), (Some([9; 32]), None));
    assert_eq!(store.sales().pending().await.unwrap(), [sale(2)]);
    store.close().await;
}

#[tokio::test]
async fn landed_sale_stays_landed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    store.writer().write(Change::SaleSent(Box::new(sale(1)))).await.unwrap();
    for state in [SaleState::Landed, SaleState::Expired, SaleState::Failed] {
        let event = SaleEvent::Ended { state, at: 200 };
        store.writer().write(Change::Sale { payment: [1; 32], event }).await.unwrap();
    }
    // The same payment again, as a second process would store it.
    store.writer().write(Change::SaleSent(Box::new(sale(1)))).await.unwrap();
    let found = store.sales().find(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(found.state, SaleState::Landed);
    store.close().await;
}

#[tokio::test]
async fn refused_sale_moves_to_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let write = async |event| {
        store.writer().write(Change::Sale { payment: [1; 32], event }).await.unwrap();
    };
    let refused = async || store.sales().refused(&[2; 32]).await.unwrap().len();
    store.writer().write(Change::SaleSent(Box::new(sale(1)))).await.unwrap();
    write(SaleEvent::Refused { at: 190 }).await;
    assert_eq!(refused().await, 0, "it has not landed");
    write(SaleEvent::Ended { state: SaleState::Landed, at: 200 }).await;
    assert_eq!(refused().await, 1);
    assert_eq!(store.sales().refused(&[1; 32]).await.unwrap(), []);
    let (output_digest, request_digest) = ([9; 32], [7; 32]);
    write(SaleEvent::Made { output_digest, request_digest, name: String::new() }).await;
    assert_eq!(refused().await, 0, "it has an answer");
    let sales = store.sales();
    assert_eq!(sales.of_request(&[2; 32], &[3; 32], &sale(1).name).await.unwrap(), []);
    let found = sales.of_request(&[2; 32], &[7; 32], "").await.unwrap();
    assert_eq!((found.len(), found[0].output_digest), (1, Some([9; 32])));
    store.close().await;
}

#[tokio::test]
async fn sales_are_found_by_request() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let other = StoredSale { request_digest: [7; 32], ..sale(3) };
    for sale in [sale(2), sale(1), other] {
        store.writer().write(Change::SaleSent(Box::new(sale))).await.unwrap();
    }
    let sales = store.sales();
    let name = "order-0123456789";
    let found = sales.of_request(&[2; 32], &[3; 32], name).await.unwrap();
    assert_eq!(found, [sale(1), sale(2)]);
    assert_eq!(sales.of_request(&[2; 32], &[3; 32], "").await.unwrap(), []);
    assert!(sales.is_name_taken(&[2; 32], &[3; 32], name).await.unwrap());
    assert!(!sales.is_name_taken(&[1; 32], &[3; 32], name).await.unwrap());
    store.close().await;
}

#[tokio::test]
async fn first_told_call_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    store.writer().write(Change::SaleSent(Box::new(sale(1)))).await.unwrap();
    let told = async || store.sales().find(&[1; 32]).await.unwrap().unwrap().told_call;
    assert_eq!(told().await, None);
    for call in [[5; 16], [6; 16]] {
        let event = SaleEvent::Told { call };
        store.writer().write(Change::Sale { payment: [1; 32], event }).await.unwrap();
        assert_eq!(told().await, Some([5; 16]));
    }
    store.close().await;
}

#[tokio::test]
async fn payments_of_sellers_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    for (number, seller) in [(1, None), (2, Some([8; 32])), (3, Some([8; 32])), (4, Some([9; 32]))]
    {
        let sent = StoredSale { seller, ..sale(number) };
        store.writer().write(Change::SaleSent(Box::new(sent.clone()))).await.unwrap();
        assert_eq!(store.sales().find(&sent.payment).await.unwrap(), Some(sent));
    }
    let counted = async |since| {
        let all = store.sales().of_sellers(since).await.unwrap();
        all.iter().map(|one| (one.seller[0], one.payments)).collect::<Vec<_>>()
    };
    assert_eq!(counted(0).await, [(8, 2), (9, 1)]);
    assert_eq!(counted(103).await, [(8, 1), (9, 1)]);
    let ended = SaleEvent::Ended { state: SaleState::Expired, at: 200 };
    store.writer().write(Change::Sale { payment: [4; 32], event: ended }).await.unwrap();
    assert_eq!(counted(0).await, [(8, 2)]);
    store.close().await;
}
