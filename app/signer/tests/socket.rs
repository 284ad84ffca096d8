//! Signers on a socket: the reference server, and hostile ones.
#![allow(clippy::unwrap_used, reason = "a test stops at an unexpected result")]

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ed25519_dalek::SigningKey;
use motif_interface::{
    Pubkey,
    receipt::{Receipt, bundle::BundlePath},
};
use motif_signer::{
    LocalSigner, OperatorSigner, Purpose, ServedKey, SignError, SignRequest, SigningServer,
    SocketSigner,
};
use solana_instruction::Instruction;
use solana_message::Message;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
    time::{Instant, timeout},
};

/// Returns the message of a transaction that a key pays for.
fn transaction(seed: u8) -> Vec<u8> {
    let instruction = Instruction { program_id: address(99), accounts: Vec::new(), data: vec![7] };
    Message::new(&[instruction], Some(&address(seed))).serialize()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn address(seed: u8) -> Pubkey {
    Pubkey::new_from_array(key(seed).verifying_key().to_bytes())
}

fn root(seed: u8) -> Vec<u8> {
    [&BundlePath::DOMAIN[..], &[seed; 32]].concat()
}

/// Folder of a socket, and its path.
fn socket() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.sock");
    (folder, path)
}

fn served(seed: u8, purpose: Option<Purpose>) -> ServedKey {
    ServedKey { signer: Arc::new(LocalSigner::from(key(seed))), purpose }
}

fn start(path: &Path, keys: Vec<ServedKey>) -> JoinHandle<()> {
    tokio::spawn(SigningServer::bind(path, 0o600, keys).unwrap().run())
}

fn signer(path: &Path, seed: u8) -> Arc<dyn OperatorSigner> {
    Arc::new(SocketSigner::new(path, address(seed)).unwrap())
}

/// Serves one connection: answers each request with the line that `answer` returns.
fn hostile(path: &Path, answer: impl Fn(SignRequest) -> String + Send + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = answer(serde_json::from_str(&line).unwrap());
                if writer.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
}

#[tokio::test]
async fn socket_signature_equals_local_one() {
    let (_folder, path) = socket();
    start(&path, vec![served(1, None), served(2, None)]);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for seed in [1, 2] {
        let local: Arc<dyn OperatorSigner> = Arc::new(LocalSigner::from(key(seed)));
        let remote = signer(&path, seed);
        for purpose in [Purpose::Settle, Purpose::FeePayer, Purpose::Authority] {
            let expected = local.sign_in_time(purpose, &[&transaction(seed)]).await.unwrap();
            assert_eq!(
                remote.sign_in_time(purpose, &[&transaction(seed)]).await.unwrap(),
                expected
            );
        }
        // More than a socket's buffers hold, in one call.
        let roots: Vec<_> = (0..5_000_u32).map(|number| root(number as u8)).collect();
        let roots: Vec<&[u8]> = roots.iter().map(Vec::as_slice).collect();
        let expected = local.sign_in_time(Purpose::Receipt, &roots).await.unwrap();
        let signing = remote.sign(Purpose::Receipt, &roots);
        assert_eq!(timeout(Duration::from_secs(60), signing).await.unwrap().unwrap(), expected);
    }
}

#[tokio::test]
async fn key_signs_for_its_purpose_only() {
    let (_folder, path) = socket();
    start(&path, vec![served(1, Some(Purpose::Receipt))]);
    let remote = signer(&path, 1);
    assert!(remote.sign_in_time(Purpose::Receipt, &[&root(1)]).await.is_ok());
    let refused = remote.sign_in_time(Purpose::Settle, &[&transaction(1)]).await.unwrap_err();
    assert!(matches!(refused, SignError::Refused { .. }), "{refused}");
    // Bytes that are no transaction of the key are refused by either side.
    for bytes in [&b"hello world, sign in please"[..], &transaction(2), &[1]] {
        let wrong = signer(&path, 1).sign(Purpose::Settle, &[bytes]).await.unwrap_err();
        assert!(matches!(wrong, SignError::Refused { .. }), "{wrong}");
    }
    // A client that names another purpose than its bytes have is refused by either side.
    let wrong = remote.sign_in_time(Purpose::Receipt, &[&transaction(1)]).await.unwrap_err();
    assert_eq!(wrong, SignError::WrongPurpose(Purpose::Receipt));
    let wrong = remote.sign(Purpose::Receipt, &[&transaction(1)]).await.unwrap_err();
    assert!(matches!(wrong, SignError::Refused { .. }), "{wrong}");
    let unknown = signer(&path, 2).sign_in_time(Purpose::Receipt, &[&root(1)]).await.unwrap_err();
    assert!(matches!(unknown, SignError::Refused { .. }), "{unknown}");
}

#[tokio::test]
async fn restarted_server_is_found_again() {
    let (_folder, path) = socket();
    let remote = signer(&path, 1);
    let absent = remote.sign_in_time(Purpose::Settle, &[&transaction(1)]).await.unwrap_err();
    assert!(matches!(absent, SignError::Unreachable { .. }), "{absent}");
    for _ in 0..2 {
        let server = start(&path, vec![served(1, None)]);
        assert!(remote.sign_in_time(Purpose::Settle, &[&transaction(1)]).await.is_ok());
        let taken = SigningServer::bind(&path, 0o600, Vec::new()).unwrap_err();
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
        server.abort();
        let _ = server.await;
    }
}

#[tokio::test]
async fn other_file_is_not_replaced() {
    let (_folder, path) = socket();
    std::fs::write(&path, "a will").unwrap();
    let refused = SigningServer::bind(&path, 0o600, Vec::new()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a will");
}

#[tokio::test]
async fn unfinished_lines_block_no_request() {
    let (_folder, path) = socket();
    start(&path, vec![served(1, None)]);
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"{\"id\":").await.unwrap();
        waiting.push(stream);
    }
    let signing = signer(&path, 1);
    let message = transaction(1);
    let signed = timeout(Duration::from_secs(15), signing.sign(Purpose::Settle, &[&message])).await;
    assert!(matches!(signed, Ok(Ok(_))), "{signed:?}");
}

#[tokio::test]
async fn reach_fails_until_server_listens() {
    let (_folder, path) = socket();
    let remote = signer(&path, 1);
    assert!(matches!(remote.reach().await, Err(SignError::Unreachable { .. })));
    start(&path, vec![served(1, None)]);
    remote.reach().await.unwrap();
}

#[tokio::test]
async fn invalid_signature_is_rejected() {
    let (_folder, path) = socket();
    hostile(&path, |request| {
        let signature = "A".repeat(86) + "==";
        format!("{{\"id\":{},\"signature\":\"{signature}\"}}\n", request.id)
    });
    let forged = signer(&path, 1).sign_in_time(Purpose::Settle, &[&transaction(1)]).await;
    assert_eq!(forged, Err(SignError::InvalidSignature(address(1))));
}

#[tokio::test]
async fn malformed_answers_are_errors() {
    for answer in ["{}\n", "signed\n", "{\"id\":9,\"signature\":\"AA==\"}\n", &"x".repeat(20_000)] {
        let (_folder, path) = socket();
        let line = answer.to_owned();
        hostile(&path, move |_| line.clone());
        let failed = signer(&path, 1).sign_in_time(Purpose::Settle, &[&transaction(1)]).await;
        assert!(failed.is_err(), "{answer}");
    }
    let (_folder, path) = socket();
    let reason = format!("no\u{1b}[31m{}", "x".repeat(500));
    hostile(&path, move |request| {
        serde_json::json!({ "id": request.id, "error": reason }).to_string() + "\n"
    });
    let refused =
        signer(&path, 1).sign_in_time(Purpose::Settle, &[&transaction(1)]).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.len() < 320 && !text.contains('\u{1b}'), "{text}");
}

#[tokio::test]
async fn silent_signer_is_given_up_in_time() {
    let (_folder, path) = socket();
    let _listener = UnixListener::bind(&path).unwrap(); // accepts nothing
    let began = Instant::now();
    let late = signer(&path, 1).sign_in_time(Purpose::Receipt, &[&root(1)]).await;
    assert_eq!(late, Err(SignError::Timeout { key: address(1), seconds: 2 }));
    assert!(began.elapsed() < Duration::from_secs(4));
    let receipt = [&Receipt::DOMAIN[..], &[7; Receipt::SIZE - 16]].concat();
    assert!(Purpose::Receipt.allows(&address(1), &receipt));
}
