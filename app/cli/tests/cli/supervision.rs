//! A gateway under a service manager.

use std::{
    os::unix::net::UnixDatagram,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use motif_localnet::{Localnet, LocalnetConfig};
use motif_sdk::{
    client::Client,
    gateway::{
        AdminClient,
        wire::{NewApiKey, ScopeWord},
    },
    keypair,
};
use motif_testkit::world::SECRET;
use solana_keypair::Keypair;
use sqlx::{Connection, SqliteConnection};

use crate::kill::{Gateway, fund};

/// Returns the next message to the service manager.
fn message(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 512];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_gateway_ends_with_an_error() {
    let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let operator = keypair::create(&folder.path().join("operator.json")).unwrap();
    let client = Client::new(&localnet.rpc_url());
    fund(&localnet, &client, &operator, &Keypair::new(), &Keypair::new()).await;

    let notify = folder.path().join("notify");
    let socket = UnixDatagram::bind(&notify).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let gateway = Gateway::new(folder.path(), &localnet.rpc_url());
    let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_motif"));
    command.args(&gateway.arguments).args(["--admin-listen", &admin.to_string()]);
    command.env("MOTIF_GATEWAY_ADMIN_SECRET", SECRET).env("NOTIFY_SOCKET", &notify);
    command.env("WATCHDOG_USEC", "3000000").stdout(Stdio::null());
    let mut running = command.spawn().unwrap();
    assert_eq!(message(&socket), "READY=1");
    assert_eq!(message(&socket), "WATCHDOG=1");

    let store = format!("sqlite:{}", folder.path().join("gateway.db").display());
    let mut tables = SqliteConnection::connect(&store).await.unwrap();
    sqlx::query("DROP TABLE api_keys").execute(&mut tables).await.unwrap();
    let key = NewApiKey {
        name: "a".into(),
        scopes: vec![ScopeWord::Read],
        budget: None,
        expires_at: None,
    };
    let admin = AdminClient::new(&format!("http://{admin}"), SECRET);
    let refused = admin.create_api_key(&key).await.unwrap_err();
    assert_eq!(refused.slug(), Some("store-failed"));

    let deadline = Instant::now() + Duration::from_secs(30);
    let ended: ExitStatus = loop {
        if let Some(ended) = running.try_wait().unwrap() {
            break ended;
        }
        if Instant::now() > deadline {
            running.kill().unwrap();
            panic!("it lives on and serves nothing");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(ended.code(), Some(1));
    let mut last = message(&socket);
    while last == "WATCHDOG=1" {
        last = message(&socket);
    }
    assert_eq!(last, "STATUS=the gateway's store takes no writes");
    localnet.stop().await.unwrap();
}
