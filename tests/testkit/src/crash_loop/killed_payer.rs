//! A payer as a child process, which is killed while its tasks pay.

use std::{
    collections::BTreeMap,
    io::Write,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    gateway::{GatewayClient, GatewayError, KeptReceipt, Payer, PayerOptions},
};
use serde::{Deserialize, Serialize};

use super::payers::Broken;
use crate::world::voucher_key;

/// Variable with the parameters of a paying child, as JSON.
pub const PAYING: &str = "MOTIF_CRASH_PAYER";

/// Parameters of a paying child.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Paying {
    /// URL of the gateway.
    pub url: String,
    /// Address of the channel.
    pub channel: [u8; 32],
    /// File with the data of the channel's account.
    pub account: PathBuf,
    /// Its state file.
    pub state: PathBuf,
    /// File to which it appends each request that was paid for, 32 bytes, before it pays again.
    pub acknowledged: PathBuf,
    /// Number of tasks.
    pub tasks: u32,
}

/// Pays until the process is killed.
pub fn run_payer(paying: Paying) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let payer = paying.open(Duration::from_secs(60)).await.unwrap();
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&paying.acknowledged);
        let file = std::sync::Arc::new(std::sync::Mutex::new(file.unwrap()));
        let tasks = (0..paying.tasks).map(|_| {
            let (payer, file) = (payer.clone(), file.clone());
            tokio::spawn(async move {
                loop {
                    let request: [u8; 32] = rand::random();
                    match pay(&payer, request).await {
                        Ok(()) => file.lock().unwrap().write_all(&request).unwrap(),
                        // The gateway restarts.
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            })
        });
        futures::future::join_all(tasks.collect::<Vec<_>>()).await;
    });
}

/// Pays for a generation, or for a held one.
async fn pay(payer: &Payer, request: [u8; 32]) -> Result<(), GatewayError> {
    if !request[0].is_multiple_of(4) {
        return payer.generate(0, 1, request, [1; 32]).await.map(drop);
    }
    let held = payer.hold(0, 2, request, 60).await?;
    payer.capture(&held, 1, [1; 32]).await.map(drop)
}

impl Paying {
    /// Opens the payer.
    ///
    /// # Errors
    /// As [`Payer::open`].
    pub async fn open(&self, patience: Duration) -> Result<Payer, GatewayError> {
        let account = ChannelAccount::from_bytes(&std::fs::read(&self.account).unwrap()).unwrap();
        let client = GatewayClient::new(&self.url).patience(patience);
        let options = PayerOptions { state: Some(self.state.clone()), ..PayerOptions::default() };
        let address = Pubkey::new_from_array(self.channel);
        Payer::open(client, address, &account, voucher_key(), options).await
    }

    /// Starts a child, by a command that calls [`run_payer`].
    pub fn start(&self, command: fn() -> Command) -> PayingChild {
        let mut command = command();
        command.env(PAYING, serde_json::to_string(self).unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        PayingChild(command.spawn().unwrap())
    }

    /// Compares the receipts of the state file with what the child's tasks were told.
    ///
    /// # Errors
    /// The difference.
    pub fn compare(&self, kept: &[KeptReceipt]) -> Result<(), Broken> {
        let mut times = BTreeMap::<[u8; 32], u32>::new();
        for kept in kept {
            *times.entry(kept.receipt.receipt.request_digest).or_default() += 1;
        }
        if let Some((request, count)) = times.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{request:?} was paid for {count} times"));
        }
        let told = std::fs::read(&self.acknowledged).unwrap_or_default();
        let (told, _) = told.as_chunks::<32>();
        match told.iter().find(|request| !times.contains_key(*request)) {
            Some(request) => Err(format!("the receipt for {request:?} is lost")),
            None => Ok(()),
        }
    }
}

/// Paying child, killed on drop.
pub struct PayingChild(Child);

impl PayingChild {
    /// Kills it and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.0.kill(); // it may be dead already
        self.0.wait().unwrap();
    }
}

impl Drop for PayingChild {
    fn drop(&mut self) {
        self.kill();
    }
}
