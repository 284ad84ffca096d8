//! Several nodes of one cluster: some unreachable, some lagging, some rejecting.

mod double;

use std::time::{Duration, Instant};

use motif_gateway::{
    chain::{Chain, ChainError, RpcChain},
    serve,
};
use motif_sdk::Pubkey;
use reqwest::Client;
use serde_json::json;
use solana_signature::Signature;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::double::{NodeDouble, Sending};
use crate::{
    chain_relay::{encoded, own, signed},
    world::{Answer, CHANNEL, SECRET, World, with_admin},
};

/// URL without a listener.
const AWAY: &str = "http://user:canary-password@127.0.0.1:9/v2/canary-path?api-key=canary-query";

fn chain(urls: &[&str]) -> RpcChain {
    RpcChain::new(urls)
}

fn unreachable<T: std::fmt::Debug>(answer: Result<T, ChainError>) -> String {
    match answer {
        Err(ChainError::Unreachable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn absent_node_is_skipped() {
    let node = NodeDouble::at(100).await;
    let chain = chain(&[AWAY, &node.url]);
    for _ in 0..5 {
        assert!(chain.channel(&CHANNEL).await.unwrap().is_some());
    }
    let [away, up] = &chain.nodes()[..] else { panic!("two nodes") };
    // Nodes in backoff are tried last.
    assert_eq!((away.requests, away.failures, away.is_in_backoff), (1, 1, true));
    assert_eq!((up.requests, up.failures, up.is_in_backoff), (5, 0, false));
    assert_eq!(away.host, "http://127.0.0.1:9");
}

#[tokio::test]
async fn unreachable_nodes_are_named_without_key() {
    let chain = chain(&[AWAY, "http://127.0.0.1:10/canary-path"]);
    let reason = unreachable(chain.channel(&CHANNEL).await);
    assert!(reason.contains("http://127.0.0.1:9: ") && reason.contains("http://127.0.0.1:10: "));
    assert!(!reason.contains("canary"), "{reason}");
    let landed = unreachable(chain.landed(&Signature::default()).await);
    assert!(landed.contains("127.0.0.1:10") && !landed.contains("canary"), "{landed}");
}

#[tokio::test]
async fn lagging_node_is_ignored() {
    let (ahead, behind) = (NodeDouble::at(100).await, NodeDouble::at(90).await);
    for knows_min_context_slot in [true, false] {
        behind.state().knows_min_context_slot = knows_min_context_slot;
        behind.state().slot = 90;
        let chain = chain(&[&ahead.url, &behind.url]);
        ahead.state().is_up = true;
        assert_eq!(chain.channel(&CHANNEL).await.unwrap().unwrap().slot, 100);
        ahead.state().is_up = false;
        let reason = unreachable(chain.channel(&CHANNEL).await);
        assert!(reason.contains("is behind"), "{reason}");
        behind.state().slot = 101;
        assert_eq!(chain.channel(&CHANNEL).await.unwrap().unwrap().slot, 101);
        assert!(chain.nodes()[1].behind >= 1);
    }
}

#[tokio::test]
async fn checked_transaction_reaches_all_nodes() {
    let (first, second) = (NodeDouble::at(100).await, NodeDouble::at(100).await);
    let chain = chain(&[AWAY, &first.url, &second.url]);
    chain.submit(&[1; 80], true).await.unwrap();
    assert_eq!((first.sent(), second.sent()), (1, 0));
    chain.submit(&[1; 80], false).await.unwrap();
    assert_eq!((first.sent(), second.sent()), (2, 1));
    first.state().is_up = false;
    chain.submit(&[1; 80], false).await.unwrap();
    assert_eq!((first.sent(), second.sent()), (2, 2));
}

#[tokio::test]
async fn rejection_by_one_node_is_not_final() {
    let (first, second) = (NodeDouble::at(100).await, NodeDouble::at(100).await);
    second.state().sending = Sending::Refused;
    let with_one_away = chain(&[AWAY, &second.url]);
    let refused = with_one_away.submit(&[1; 80], true).await;
    assert!(matches!(refused, Err(ChainError::Refused(_))), "{refused:?}");
    // This node disconnects after it received the transaction.
    first.state().sending = Sending::BrokenOff;
    let with_one_silent = chain(&[&first.url, &second.url]);
    unreachable(with_one_silent.submit(&[1; 80], true).await);
    assert_eq!((first.sent(), second.sent()), (1, 2));
    second.state().sending = Sending::BlockhashUnknown;
    unreachable(chain(&[&second.url]).submit(&[1; 80], true).await);
}

#[tokio::test]
async fn relay_names_expired_blockhash() {
    let (first, second) = (NodeDouble::at(100).await, NodeDouble::at(100).await);
    let chain = chain(&[&first.url, &second.url]);
    let relayed = async || chain.relay(&[1; 80]).await;
    // One node may be behind the other.
    first.state().sending = Sending::BlockhashUnknown;
    assert_eq!(relayed().await, Ok(()));
    second.state().sending = Sending::BlockhashUnknown;
    let Err(ChainError::Refused(reason)) = relayed().await else { panic!("it is not refused") };
    assert!(reason.contains("blockhash") && reason.contains("sign it again"), "{reason}");
    second.state().sending = Sending::Processed;
    assert_eq!(relayed().await, Ok(()), "an earlier attempt has landed");
    // A node that disconnects may have forwarded it.
    second.state().sending = Sending::BrokenOff;
    unreachable(relayed().await);
}

#[tokio::test]
async fn expired_transaction_is_no_outage() {
    let world = World::new().await;
    let node = NodeDouble::at(100).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = world.config.clone();
    config.rpc_urls = vec![node.url.clone()];
    config.store = folder.path().join("gateway.sqlite").into();
    config.settle.min_lamports = 0; // the node has no account of the operator
    let gateway = serve(config).await.unwrap();
    let send = async || {
        let url = format!("{}/v1/chain/transactions", gateway.url());
        let body = json!({ "transaction": encoded(&signed(&[own()])) });
        Answer::to(Client::new().post(url).json(&body)).await
    };
    node.state().sending = Sending::BlockhashUnknown;
    let expired = send().await;
    expired.assert_problem(422, "transaction-refused");
    let detail = expired.problem().detail;
    assert!(detail.contains("sign it again"), "{detail}");
    node.state().sending = Sending::Processed;
    send().await.assert_ok();
    node.state().sending = Sending::BrokenOff;
    send().await.assert_problem(503, "chain-unreachable");
    gateway.shutdown().await;
}

#[tokio::test]
async fn permanent_rejection_is_final() {
    let node = NodeDouble::at(100).await;
    let expired = u32::from(motif_sdk::channel::PaymentsError::LicenseExpired);
    node.state().sending = Sending::RefusedWith(expired);
    let refused = chain(&[&node.url]).submit(&[1; 80], true).await;
    assert!(matches!(refused, Err(ChainError::Final(_))), "{refused:?}");
}

#[tokio::test]
async fn rejection_is_told_in_words() {
    let node = NodeDouble::at(100).await;
    let chain = chain(&[&node.url]);
    let told = async |code: u32, failed: &str| {
        let noise = (0..500).map(|at| format!("Program log: canary {at}"));
        let ended = ["consumed 9 of 10 compute units", "failed: custom program error"];
        let ended = ended.map(|ended| format!("Program {CHANNEL} {ended}"));
        node.state().logs = noise.chain([failed.to_owned()]).chain(ended).collect();
        node.state().sending = Sending::RefusedWith(code);
        let refused = chain.relay(&[1; 80]).await;
        let Err(ChainError::Refused(reason)) = refused else { panic!("{refused:?}") };
        assert!(!reason.contains("canary") && reason.len() < 200, "{reason}");
        reason
    };
    let own = "Program log: AnchorError thrown in a.rs:1. Error Code: DuplicateUse. Error Number: 6016. \
               Error Message: a use may be priced only once.";
    let expected = "a use may be priced only once (DuplicateUse, 6016)";
    assert_eq!(told(6_016, own).await, expected);
    let foreign = told(1, "Program log: Error: insufficient funds").await;
    assert!(foreign.ends_with("custom program error: 0x1: Error: insufficient funds"), "{foreign}");
}

#[tokio::test]
async fn only_current_node_proves_absence() {
    let (first, second) = (NodeDouble::at(200).await, NodeDouble::at(150).await);
    let chain = chain(&[&first.url, &second.url]);
    assert_eq!(chain.final_height().await, Ok(200));
    first.state().is_up = false;
    let signature = Signature::from([7; 64]);
    unreachable(chain.landed(&signature).await);
    second.state().slot = 200;
    assert_eq!(chain.landed(&signature).await, Ok(None));
    // A transaction confirmed by one node is confirmed.
    second.state().slot = 150;
    second.state().landed.push(signature.to_string());
    assert_eq!(chain.landed(&signature).await.unwrap().unwrap().signature, signature);
}

#[tokio::test]
async fn unknown_channel_is_confirmed_by_all() {
    let node = NodeDouble::at(100).await;
    let chain = chain(&[&node.url]);
    assert!(chain.channel(&Pubkey::new_from_array([99; 32])).await.unwrap().is_none());
}

#[tokio::test]
async fn processed_slot_blocks_no_confirmed_read() {
    let node = NodeDouble::at(100).await;
    node.state().unconfirmed_slots = 31;
    let chain = chain(&[&node.url]);
    let signature = Signature::from([7; 64]);
    // The node reports statuses at slot 131, and accounts at slot 100.
    assert_eq!(chain.landed(&signature).await, Ok(None));
    assert_eq!(chain.channel(&CHANNEL).await.unwrap().unwrap().slot, 100);
    assert_eq!(chain.final_height().await, Ok(100));
    assert!(chain.channel(&CHANNEL).await.unwrap().is_some());
}

#[tokio::test]
async fn batch_is_one_request() {
    let node = NodeDouble::at(100).await;
    let chain = chain(&[&node.url]);
    let mut addresses: Vec<_> = (0..99).map(|_| Pubkey::new_unique()).collect();
    addresses.push(CHANNEL);
    let read = chain.channels(&addresses).await.unwrap();
    assert_eq!((read.len(), read.iter().flatten().count()), (100, 1));
    assert!(read[99].is_some());
    let signatures: Vec<_> = (0..200).map(|byte| Signature::from([byte; 64])).collect();
    node.state().landed.push(signatures[3].to_string());
    let statuses = chain.statuses(&signatures).await.unwrap();
    let landed = statuses.iter().position(|status| matches!(status, Ok(Some(_))));
    assert_eq!((statuses.len(), landed), (200, Some(3)));
    assert_eq!(node.asked("getMultipleAccounts"), 1);
    assert_eq!(node.asked("getSignatureStatuses"), 1);
}

#[tokio::test]
async fn limited_node_is_not_asked_again() {
    let (limited, other) = (NodeDouble::at(100).await, NodeDouble::at(100).await);
    limited.state().retry_after = Some(1);
    let alone = chain(&[&limited.url]);
    assert!(unreachable(alone.channel(&CHANNEL).await).contains("limits requests for 1 s"));
    for _ in 0..5 {
        assert!(unreachable(alone.channel(&CHANNEL).await).contains("limits the rate"));
        unreachable(alone.submit(&[1; 80], false).await);
    }
    let asked = |node: &NodeDouble| node.asked("getMultipleAccounts") + node.sent();
    assert_eq!(asked(&limited), 1);
    let both = chain(&[&limited.url, &other.url]);
    for _ in 0..5 {
        assert!(both.channel(&CHANNEL).await.unwrap().is_some());
    }
    assert_eq!((asked(&limited), asked(&other)), (2, 5));
    limited.state().retry_after = None;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(alone.channel(&CHANNEL).await.unwrap().is_some());
}

#[tokio::test]
async fn silent_node_delays_one_submission() {
    let (silent, other) = (NodeDouble::at(100).await, NodeDouble::at(100).await);
    silent.state().holds_transactions = Duration::from_secs(60);
    let chain = chain(&[&silent.url, &other.url]);
    let began = Instant::now();
    chain.submit(&[1; 80], false).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let began = Instant::now();
    chain.submit(&[1; 80], false).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert_eq!(other.sent(), 2);
}

#[tokio::test]
async fn metrics_label_nodes_by_host() {
    let world = World::with(with_admin).await;
    let node = NodeDouble::at(100).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = world.config.clone();
    config.rpc_urls = vec![AWAY.to_owned(), node.url.clone()];
    config.store = folder.path().join("gateway.sqlite").into();
    config.settle.min_lamports = 0; // the node has no account of the operator
    let gateway = serve(config).await.unwrap();
    Answer::to(reqwest::Client::new().get(format!("{}/readyz", gateway.url()))).await.assert_ok();
    let url = format!("{}/metrics", gateway.admin_url().unwrap());
    let text = Answer::to(reqwest::Client::new().get(url).bearer_auth(SECRET)).await.text();
    for line in [
        "motif_node_up{node=\"0\",host=\"http://127.0.0.1:9\"} 0".to_owned(),
        format!("motif_node_up{{node=\"1\",host=\"{}\"}} 1", node.url),
    ] {
        assert!(text.contains(&line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("motif_node_failures_total{node=\"0\"") && !text.contains("canary"));
    gateway.shutdown().await;
}

#[tokio::test]
async fn endless_response_is_cut() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let endless = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
        let mut sent = stream.write(head.as_bytes()).await.unwrap();
        while let Ok(count) = stream.write(&[b' '; 65_536]).await {
            sent += count;
        }
        sent
    });
    let reason = unreachable(chain(&[&url]).channel(&CHANNEL).await);
    assert!(reason.contains("more than 16777216 bytes"), "{reason}");
    let sent = endless.await.unwrap();
    assert!(sent < 32 << 20, "{sent} bytes of a response were read");
}

#[tokio::test]
async fn slot_far_ahead_is_ignored() {
    let node = NodeDouble::at(100).await;
    let chain = chain(&[&node.url]);
    assert_eq!(chain.channel(&CHANNEL).await.unwrap().unwrap().slot, 100);
    node.state().jumps = 1;
    for slot in [101, 102] {
        node.state().slot = slot;
        assert_eq!(chain.channel(&CHANNEL).await.unwrap().unwrap().slot, slot);
    }
    assert_eq!(chain.nodes()[0].behind, 1);
}

#[tokio::test]
async fn lagging_node_fails_readiness() {
    let node = NodeDouble::at(100).await;
    let chain = chain(&[&node.url]);
    chain.reach().await.unwrap();
    node.state().slot = 90;
    let reason = unreachable(chain.reach().await);
    assert!(reason.contains("is behind"), "{reason}");
}
